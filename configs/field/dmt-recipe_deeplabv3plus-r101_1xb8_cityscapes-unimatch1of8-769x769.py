# Cityscapes 1/8 (372) of UniMatch, DeepLabV3+ R-101, twice, crops of 769: DMT with the recipe.
_base_ = '../_base_/runs/cityscapes_deeplabv3plus-r101_769_recipe.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(f'{_base_.splits}/cityscapes/unimatch', '1of8')
