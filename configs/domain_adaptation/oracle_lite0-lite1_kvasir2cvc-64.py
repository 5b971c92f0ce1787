# From Kvasir-SEG to another hospital: the recipe with true labels of CVC-ClinicDB in the place of pseudo labels.
_base_ = 'recipe_lite0-lite1_kvasir2cvc-64.py'
custom_hooks = [dict(_base_.custom_hooks[0], online=dict(labeler='truth')), _base_.average]
