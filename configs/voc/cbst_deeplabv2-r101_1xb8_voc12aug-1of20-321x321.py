# VOC 2012, 1/20: one peer that learns its own class-balanced pseudo labels by plain cross entropy (CBST).
_base_ = 'dmt_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
model = dict(
    peers=dict(_delete_=True, coco=_base_.model.peers.coco),
    loss=dict(gamma_agree=0.0, gamma_disagree=0.0),
)
