# The upper bound: each peer on the same 600 handwritten scenes with their labels, as long as the whole of DMT.
_base_ = 'dmt_resnet_1xb8_digit-scenes-fonts2handwriting.py'
target = _base_.train_dataloader.dataset.unlabeled
source = dict(domain='fonts', split='labeled', num_scenes=600)  # without labels, and never drawn
train_dataloader = dict(dataset=dict(labeled=target, unlabeled=source))
custom_hooks = [dict(type='mmdmt.DMTHook', phases=[dict(iters=_base_.train_cfg.max_iters, labeled=8)])]
