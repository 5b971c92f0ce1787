# CamVid, 30 labels, each peer on labels alone, and every class weighs alike.
_base_ = 'supervised-long_lite0-lite1_1xb8_camvid-30.py'
model = dict(loss=dict(class_weight=None))
