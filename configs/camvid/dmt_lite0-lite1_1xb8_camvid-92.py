# CamVid, 92 labels: two EfficientNet-Lites teach each other by the paper's rule and phases.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-30.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(_base_.lists, '92')
