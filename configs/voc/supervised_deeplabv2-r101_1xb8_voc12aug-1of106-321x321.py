# VOC 2012, 1/106 (100 labels), on labels alone: the warm-up of DMT, but with all labels for each peer; 46.66 published.
_base_ = ['../_base_/runs/voc12aug.py', '../_base_/models/dmt_deeplabv2_r101-d8.py']
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of106')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=300 * 10, ratios=(), val_interval=100)
