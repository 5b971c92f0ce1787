# Cityscapes at 128 pixels, 100 labels: the recipe with true labels of the unlabeled images in place of pseudo labels.
_base_ = 'recipe_lite0-lite1_cityscapes-128.py'
custom_hooks = [dict(_base_.hook, online=dict(labeler='truth')), _base_.average]
