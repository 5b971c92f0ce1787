# Kvasir-SEG, 1/8 (110 labels): a convolutional network and a transformer teach each other. Not in the paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv3plus-r50_segformer-b0.py',
    '../_base_/datasets/kvasir_seg.py',
    '../_base_/schedules/dmt_20k.py',
    '../_base_/schedules/segformer_adamw.py',
]
train_dataloader = __import__('mmdmt.configs').configs.lists(_base_.lists, '1of8')
size = dict(size=(352, 352))
head = dict(num_classes=2)
model = dict(
    peers=dict(
        deeplab=dict(data_preprocessor=size, decode_head=head, auxiliary_head=head),
        segformer=dict(data_preprocessor=size, decode_head=head),
    )
)
# Each peer with the optimizer of its kind; the phases halve the learning rate of both.
optim_wrapper = dict(peers=dict(segformer=_base_.segformer_adamw))
