# VOC 2012, 1/8: a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/runs/voc12aug_1of8.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/schedules/segformer_adamw.py',
]
model = __import__('mmdmt.configs').configs.peers(_base_, 321, num_classes=21, padded=505)
# Each peer with the optimizer of its kind; the phases halve the learning rate of both.
optim_wrapper = dict(peers=dict(segformer=_base_.segformer_adamw))
