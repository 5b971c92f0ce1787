# Handwritten digits, 40 labels: two networks of different kinds that teach each other. See `make demo-classification`.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/digit_classifiers.py',
    '../_base_/datasets/digits_40.py',
    '../_base_/schedules/digits.py',
]
