# SYNTHIA -> Cityscapes, 16 classes: source images with labels, target images without. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/datasets/synthia2cityscapes.py',
    '../_base_/schedules/dmt_domain_adaptation_40k.py',
]
size = dict(size=(512, 512))
head = dict(num_classes=16)
model = dict(
    peers=dict(
        deeplab=dict(data_preprocessor=size, decode_head=head, auxiliary_head=head),
        segformer=dict(data_preprocessor=size, decode_head=head),
    ),
    loss=dict(gamma_agree=3.0, gamma_disagree=3.0),
)
