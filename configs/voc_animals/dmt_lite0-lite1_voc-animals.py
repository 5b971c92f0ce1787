# VOC animals, 35 labels: DMT as in the paper, five phases of labels in a bank and its rule.
_base_ = 'supervised_lite0-lite1_voc-animals.py'
train_dataloader = dict(batch_size=8)
model = dict(loss=dict(gamma_agree=5.0, gamma_disagree=5.0))
phase = dict(labeled=4, pseudo=4, iters=200)
phases = [dict(phase, label_ratio=ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0)]
hook = dict(_base_.hook, phases=phases)
custom_hooks = [hook, _base_.average]
