# Cityscapes 1/8 (372) of UniMatch, ViT-S and ConvNeXt-T of DINOv3, crops of 768: DMT with the recipe.
_base_ = '../_base_/runs/cityscapes_dinov3-s_recipe.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(f'{_base_.splits}/cityscapes/unimatch', '1of8')
