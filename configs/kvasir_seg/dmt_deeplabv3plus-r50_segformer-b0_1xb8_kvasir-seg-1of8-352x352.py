# Kvasir-SEG, 1/8 (110 labels): a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/datasets/kvasir_seg_1of8.py',
    '../_base_/schedules/dmt_20k.py',
]
size = dict(size=(352, 352))
head = dict(num_classes=2)
model = dict(
    peers=dict(
        deeplab=dict(data_preprocessor=size, decode_head=head, auxiliary_head=head),
        segformer=dict(data_preprocessor=size, decode_head=head),
    )
)
# Each peer with the optimizer of its kind; the phases halve the learning rate of both.
optim_wrapper = dict(
    peers=dict(
        segformer=dict(
            optimizer=dict(_delete_=True, type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
            paramwise_cfg=dict(norm_decay_mult=0.0, custom_keys=dict(head=dict(lr_mult=10.0))),
        )
    )
)
