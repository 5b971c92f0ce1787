# Kvasir-SEG, 50 labels: each peer on labels alone. With other lists it is the row of all labels, too.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/lite_fpn_peers_stride16.py',
    '../_base_/datasets/kvasir_64.py',
    '../_base_/schedules/small_photographs.py',
]
train_dataloader = dict(batch_size=4, dataset=dict(lists='splits/kvasir/split0/{}_50.txt'))
peer = dict(data_preprocessor=dict(size=(48, 48)), decode_head=dict(num_classes=2))
model = dict(peers=dict(lite0=peer, lite1=peer), loss=dict(class_weight=None))
train_cfg = dict(val_interval=350)
hook = dict(type='mmdmt.DMTHook', warm_up=700, labeled=4, ratios=(), labeling=dict(num_workers=0))
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations
custom_hooks = [hook, average]
