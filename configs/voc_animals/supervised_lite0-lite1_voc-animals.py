# VOC animals, 35 labels: each peer on labels alone. With other lists it is the row of all labels, too.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/lite_fpn_peers.py',
    '../_base_/datasets/voc_animals.py',
    '../_base_/schedules/small_photographs.py',
]
train_dataloader = dict(batch_size=4, dataset=dict(lists='splits/voc_animals/split0/{}_35.txt'))
peer = dict(data_preprocessor=dict(size=(144, 144)), decode_head=dict(num_classes=7))
# One over the root of each class's share of pixels, of the 35 labels of split 0, with a mean of 1 over their pixels.
loss = dict(class_weight=[0.6, 1.2, 2.9, 1.7, 2.9, 2.0, 2.5])
model = dict(peers=dict(lite0=peer, lite1=peer), loss=loss)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
train_cfg = dict(val_interval=400)
hook = dict(type='mmdmt.DMTHook', warm_up=400, labeled=4, ratios=(), labeling=dict(num_workers=0))
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations
custom_hooks = [hook, average]
