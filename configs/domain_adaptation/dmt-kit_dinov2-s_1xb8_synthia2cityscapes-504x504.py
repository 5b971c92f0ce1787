# SYNTHIA -> Cityscapes, 16 classes, with the kit, two DINOv2-S with decoders of two kinds. Not in the paper.
_base_ = ['../_base_/runs/domain_adaptation_kit_dinov2-s.py', '../_base_/datasets/synthia2cityscapes.py']
cut = [dict(type='RandomCrop', crop_size=(504, 504), cat_max_ratio=0.75), dict(type='RandomFlip', prob=0.5)]
of_target = _base_.unlabeled_target.pipeline
source = dict(pipeline=[*_base_.source.pipeline[:-4], *cut, *_base_.photometry, _base_.pack])
target = dict(pipeline=[*of_target[:3], _base_.margins, *cut, _base_.views, of_target[-1]])
train_dataloader = dict(dataset=dict(labeled=source, unlabeled=target))
head = dict(num_classes=16)
model = dict(peers=dict(upernet=dict(decode_head=head), dpt=dict(decode_head=head)))
