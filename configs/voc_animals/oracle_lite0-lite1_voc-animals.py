# VOC animals, 35 labels: the recipe with true labels of the unlabeled images in the place of pseudo labels.
_base_ = 'recipe_lite0-lite1_voc-animals.py'
hook = dict(_base_.hook, phases=[dict(labeled=4, pseudo=4, iters=1000, online=dict(labeler='truth'))])
custom_hooks = [hook, _base_.average]
