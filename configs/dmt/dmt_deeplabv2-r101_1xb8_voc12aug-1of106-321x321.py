# VOC 2012, 1/106 (100 labels): 5 phases, peers COCO and COCO on 80 labels each (60 common), gamma 5; 63.04 published.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/dmt_deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_1of106.py',
    '../_base_/schedules/dmt_voc_1of106.py',
]
# Two peers from the same weights that differ by what they are warmed up on: difference-maximized sampling.
model = dict(
    peers=dict(_delete_=True, left=_base_.model.peers.coco, right=_base_.model.peers.coco),
)
warm_up = dict(
    _base_.phases[0],
    labeled_lists=dict(left=f'{_base_.lists}/dms_left_1of106.txt', right=f'{_base_.lists}/dms_right_1of106.txt'),
)
custom_hooks = [dict(_base_.custom_hooks[0], phases=[warm_up, *_base_.phases[1:]])]
