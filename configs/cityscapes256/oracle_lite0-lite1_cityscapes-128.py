# Cityscapes at 128 pixels, 100 labels: the recipe with true labels in the place of pseudo labels.
_base_ = 'recipe_lite0-lite1_cityscapes-128.py'
custom_hooks = [dict(_base_.custom_hooks[0], online=dict(labeler='truth')), _base_.average]
