# VOC 2012, 1/8 (1322 labels) in the paper's schedule, for its networks and those of today: 85 epochs of the labeled
# images, and 4 epochs of 9260 unlabeled ones in each phase.
_base_ = 'voc12aug.py'
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of8')
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, warm_up=85 * 166, iters=4 * 1323, val_interval=350)
