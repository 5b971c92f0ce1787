# VOC 2012, 1/8: a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/runs/voc12aug_1of8.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/schedules/segformer_adamw.py',
]
size = dict(size=(321, 321), test_cfg=dict(size=(505, 505)))
head = dict(num_classes=21)
model = dict(
    peers=dict(
        deeplab=dict(data_preprocessor=size, decode_head=head, auxiliary_head=head),
        segformer=dict(data_preprocessor=size, decode_head=head),
    )
)
# Each peer with the optimizer of its kind; the phases halve the learning rate of both.
optim_wrapper = dict(peers=dict(segformer=_base_.segformer_adamw))
