# Cityscapes -> Dark Zurich, 19 classes: clear days with labels, nights without. Not in the paper.
_base_ = ['../_base_/runs/domain_adaptation.py', '../_base_/datasets/cityscapes2dark-zurich.py']
