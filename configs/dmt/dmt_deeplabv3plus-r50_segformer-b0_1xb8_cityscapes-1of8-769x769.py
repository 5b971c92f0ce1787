# Cityscapes at full resolution, 1/8: a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/runs/cityscapes_1of8.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/schedules/segformer_adamw.py',
]
size = dict(size=(769, 769))
slide = dict(mode='slide', crop_size=(769, 769), stride=(513, 513))
corners = dict(align_corners=True)
model = dict(
    peers=dict(
        deeplab=dict(data_preprocessor=size, decode_head=corners, auxiliary_head=corners, test_cfg=slide),
        segformer=dict(data_preprocessor=size, test_cfg=slide),
    ),
    loss=dict(gamma_agree=3.0, gamma_disagree=3.0),
)
# Each peer with the optimizer of its kind; the phases keep the learning rate of both.
optim_wrapper = dict(peers=dict(segformer=_base_.segformer_adamw))
