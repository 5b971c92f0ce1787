# VOC 2012, all 10 582 labels, one ordinary segmentor from COCO weights; 74.75 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_all-labels.py',
    '../_base_/schedules/voc_all-labels.py',
]
model = dict(_base_.model.peers.coco, _delete_=True)
model_wrapper_cfg = dict(type='MMDistributedDataParallel')
