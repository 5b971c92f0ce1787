# Cityscapes -> ACDC, 19 classes: clear days with labels; fog, night, rain and snow without. Not in the paper.
_base_ = ['../_base_/runs/domain_adaptation.py', '../_base_/datasets/cityscapes2acdc.py']
