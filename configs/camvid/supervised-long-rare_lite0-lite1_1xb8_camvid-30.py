# CamVid, 30 labels, each peer on labels alone; images are drawn by class, the rare ones oftener.
_base_ = 'supervised-long_lite0-lite1_1xb8_camvid-30.py'
rare = dict(temperature=0.1, min_pixels=30)
custom_hooks = [dict(_base_.custom_hooks[0], rare_classes=rare), *_base_.custom_hooks[1:]]
