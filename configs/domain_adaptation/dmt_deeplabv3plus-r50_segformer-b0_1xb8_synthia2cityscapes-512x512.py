# SYNTHIA -> Cityscapes, 16 classes: source images with labels, target images without. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/datasets/synthia2cityscapes.py',
    '../_base_/schedules/dmt_domain_adaptation_40k.py',
]
head = dict(num_classes=16)
peer = dict(data_preprocessor=dict(size=(512, 512)), decode_head=head)
model = dict(
    peers=dict(deeplab=dict(peer, auxiliary_head=head), segformer=peer),
    loss=dict(gamma_agree=3.0, gamma_disagree=3.0),
)
