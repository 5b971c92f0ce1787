# VOC blended 1/8 (1323) of UniMatch, DeepLabV3+ R-101, twice, crops of 321: DMT with the recipe.
_base_ = '../_base_/runs/voc12aug_deeplabv3plus-r101_recipe.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(f'{_base_.splits}/voc12aug/unimatch', '1of8')
