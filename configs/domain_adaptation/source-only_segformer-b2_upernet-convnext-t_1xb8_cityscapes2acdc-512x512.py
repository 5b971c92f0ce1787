# Cityscapes -> ACDC, the lower bound: each peer on source labels alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_segformer-b2_upernet-convnext-t_1xb8_cityscapes2acdc-512x512.py'
custom_hooks = [dict(type='mmdmt.DMTHook', phases=[dict(iters=_base_.train_cfg.max_iters, labeled=8)])]
