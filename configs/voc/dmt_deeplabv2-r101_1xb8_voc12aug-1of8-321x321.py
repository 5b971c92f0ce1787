# VOC 2012, 1/8 (1322 labels): 5 phases, peers COCO and ImageNet, gamma 5; 72.70 published.
# The peers are not published for this fraction: as with 1/20.
_base_ = ['../_base_/runs/voc12aug_1of8.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
