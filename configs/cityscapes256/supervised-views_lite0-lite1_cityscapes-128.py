# Cityscapes at 128 pixels, 100 labels: each peer on labels alone, in the colors of the recipe: the control of every row
# with views.
_base_ = ['supervised_lite0-lite1_cityscapes-128.py', '../_base_/recipes/mild_views.py']
train_dataloader = dict(dataset=dict(labeled_view=_base_.mild_views))
