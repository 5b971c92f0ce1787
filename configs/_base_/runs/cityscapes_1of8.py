# Cityscapes at full resolution, 1/8 (371 labels).
_base_ = 'cityscapes.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(_base_.lists, '1of8')
