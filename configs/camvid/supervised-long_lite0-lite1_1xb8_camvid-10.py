# CamVid, 10 labels: each peer on labels alone for as many iterations as the recipe.
_base_ = 'supervised-long_lite0-lite1_1xb8_camvid-30.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(_base_.lists, '10')
