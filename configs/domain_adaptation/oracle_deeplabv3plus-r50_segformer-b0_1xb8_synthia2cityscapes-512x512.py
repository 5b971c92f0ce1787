# Cityscapes, 16 classes, the upper bound of SYNTHIA -> Cityscapes: each peer on all 2975 target labels, as long as DMT.
_base_ = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_synthia2cityscapes-512x512.py'
train_dataloader = dict(dataset=_base_.oracle)
custom_hooks = [dict(type='mmdmt.DMTHook', phases=[dict(iters=_base_.train_cfg.max_iters, labeled=8)])]
