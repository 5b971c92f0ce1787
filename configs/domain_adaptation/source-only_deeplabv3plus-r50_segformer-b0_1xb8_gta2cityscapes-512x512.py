# GTA5 -> Cityscapes, the lower bound: each peer on source labels alone, for as many iterations as the whole of DMT.
_base_ = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_gta2cityscapes-512x512.py'
custom_hooks = [dict(type='mmdmt.DMTHook', phases=[dict(iters=_base_.train_cfg.max_iters, labeled=8)])]
