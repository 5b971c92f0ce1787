# VOC animals, 35 labels: the recipe with true labels of the unlabeled images in the place of pseudo labels.
_base_ = 'recipe_lite0-lite1_voc-animals.py'
custom_hooks = [dict(_base_.custom_hooks[0], online=dict(labeler='truth')), _base_.average]
