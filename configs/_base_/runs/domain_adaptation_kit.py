# Adaptation of SegFormer-B2 and a ConvNeXt-T with the kit of DAFormer and MIC.
_base_ = ['domain_adaptation.py', '../recipes/domain_adaptation.py']
model = dict(mixes=_base_.kit_mixes, loss=_base_.kit_rule)
custom_hooks = _base_.kit_hooks
param_scheduler = _base_.kit_schedulers
