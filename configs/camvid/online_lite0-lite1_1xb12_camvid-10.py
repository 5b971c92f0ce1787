# CamVid, 10 labels: the recipe of online_lite0-lite1_1xb12_camvid-30.py.
_base_ = 'online_lite0-lite1_1xb12_camvid-30.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(_base_.lists, '10')
