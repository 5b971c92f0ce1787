# CamVid, 30 labels: the online phase with CutMix alone; labeled images are drawn alike.
_base_ = 'online_lite0-lite1_1xb12_camvid-30.py'
model = dict(mixes=_base_.cutmix)
custom_hooks = [dict(_base_.custom_hooks[0], rare_classes=None), *_base_.custom_hooks[1:]]
