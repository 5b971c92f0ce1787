# Cityscapes at 128 pixels, 100 labels: each peer on labels alone. With other lists it is the row of all labels, too.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/lite_fpn_peers_stride16.py',
    '../_base_/datasets/cityscapes_128.py',
    '../_base_/schedules/small_photographs.py',
]
train_dataloader = dict(batch_size=4, dataset=dict(lists='splits/cityscapes/split0/{}_1of30.txt'))
peer = dict(data_preprocessor=dict(size=(80, 80)), decode_head=dict(num_classes=19))
# One over the root of each class's share of pixels, of the 100 labels of split 0, at most 10.
loss = dict(
    class_weight=[
        *(0.5, 1.4, 0.7, 4.2, 4.4, 3.5, 9.2, 5.4, 0.8, 2.8, 1.6, 3.0, 10.0, 1.2, 6.7, 4.7, 10.0, 10.0, 5.1),
    ]
)
model = dict(peers=dict(lite0=peer, lite1=peer), loss=loss)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
train_cfg = dict(val_interval=400)
hook = dict(type='mmdmt.DMTHook', warm_up=400, labeled=4, ratios=(), labeling=dict(num_workers=0))
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations
custom_hooks = [hook, average]
