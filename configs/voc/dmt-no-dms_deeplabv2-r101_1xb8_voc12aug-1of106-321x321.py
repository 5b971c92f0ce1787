# VOC 2012, 1/106, both peers from COCO weights, each warmed up on all 100 labels: no difference-maximized sampling.
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of106-321x321.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, labeled_lists={})
