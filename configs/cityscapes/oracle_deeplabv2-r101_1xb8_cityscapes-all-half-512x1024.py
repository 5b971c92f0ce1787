# Cityscapes at half resolution, all 2975 labels, one ordinary segmentor from COCO weights; 68.16 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8_cityscapes.py',
    '../_base_/datasets/cityscapes_half_all-labels.py',
    '../_base_/schedules/cityscapes_all-labels.py',
]
model = dict(_base_.model.peers.coco, _delete_=True)
model_wrapper_cfg = dict(type='MMDistributedDataParallel')
