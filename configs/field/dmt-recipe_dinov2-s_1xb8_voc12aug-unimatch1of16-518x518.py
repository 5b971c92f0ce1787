# VOC blended 1/16 (662) of UniMatch, DINOv2-S under UPerNet and under DPT, crops of 518: DMT with the recipe.
_base_ = '../_base_/runs/voc12aug_dinov2-s_recipe.py'
train_dataloader = __import__('mmdmt.configs').configs.lists(f'{_base_.splits}/voc12aug/unimatch', '1of16')
