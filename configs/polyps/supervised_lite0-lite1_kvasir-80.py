# Kvasir-SEG, 50 labels: each peer on labels alone. With other lists it is the row of all labels, too.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/lite_fpn_peers.py',
    '../_base_/datasets/kvasir_80.py',
    '../_base_/schedules/small_photographs.py',
]
mmdmt = __import__('mmdmt.configs')
model = mmdmt.configs.peers(_base_, 64, num_classes=2)
model['loss'] = dict(class_weight=None)
train_dataloader = mmdmt.configs.lists(_base_.lists, '50')
train_dataloader['batch_size'] = 4
hook = dict(type='mmdmt.DMTHook', phases=[dict(labeled=4, iters=1000)], labeling=dict(num_workers=0))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1000, val_interval=500)
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations
custom_hooks = [hook, average]
