# Cityscapes 1/8 (372) of UniMatch, DINOv2-S under UPerNet and under DPT, crops of 798: DMT with the recipe.
_base_ = '../_base_/runs/cityscapes_dinov2-s_recipe.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(f'{_base_.splits}/cityscapes/unimatch', '1of8')
