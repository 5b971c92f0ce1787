# Kvasir-SEG, 1/8 (110 labels): a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/datasets/kvasir_seg.py',
    '../_base_/schedules/dmt_20k.py',
    '../_base_/schedules/segformer_adamw.py',
]
mmdmt = __import__('mmdmt.configs')
train_dataloader = mmdmt.configs.lists(_base_.lists, '1of8')
model = mmdmt.configs.peers(_base_, 352, num_classes=2)
# Each peer with the optimizer of its kind; the phases halve the learning rate of both.
optim_wrapper = dict(peers=dict(segformer=_base_.segformer_adamw))
