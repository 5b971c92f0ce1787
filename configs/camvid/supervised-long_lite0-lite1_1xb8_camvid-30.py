# CamVid, 30 labels, each peer on labels alone for as many iterations as the whole of DMT.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-30.py'
custom_hooks = [dict(_base_.custom_hooks[0], phases=[dict(iters=1000, labeled=8)])]
