# VOC 2012, 1/50: both peers from COCO weights, each warmed up on 168 of the 211 labels (125 common).
_base_ = '../dmt/dmt_deeplabv2-r101_1xb8_voc12aug-1of50-321x321.py'
model = dict(
    peers=dict(_delete_=True, left=_base_.model.peers.coco, right=_base_.model.peers.coco),
)
warm_up = dict(
    _base_.phases[0],
    labeled_lists=dict(left=f'{_base_.lists}/dms_left_1of50.txt', right=f'{_base_.lists}/dms_right_1of50.txt'),
)
custom_hooks = [dict(_base_.custom_hooks[0], phases=[warm_up, *_base_.phases[1:]])]
