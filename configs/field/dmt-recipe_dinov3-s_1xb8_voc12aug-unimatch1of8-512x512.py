# VOC blended 1/8 (1323) of UniMatch, ViT-S and ConvNeXt-T of DINOv3, crops of 512: DMT with the recipe.
_base_ = '../_base_/runs/voc12aug_dinov3-s_recipe.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(f'{_base_.splits}/voc12aug/unimatch', '1of8')
