# Kvasir-SEG, 1/8 (110 labels): a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/datasets/kvasir_seg.py',
    '../_base_/schedules/dmt_20k.py',
    '../_base_/schedules/segformer_adamw.py',
]
train_dataloader = dict(dataset=dict(lists='splits/kvasir-seg/split0/{}_1of8.txt'))
two = dict(num_classes=2)
peer = dict(data_preprocessor=dict(size=(352, 352)), decode_head=two)
model = dict(peers=dict(deeplab=dict(peer, auxiliary_head=two), segformer=peer))
# Each peer with the optimizer of its kind; the phases halve the learning rate of both.
optim_wrapper = dict(peers=dict(segformer=_base_.segformer_adamw))
