# VOC 2012, 1/8: as with SegFormer-B0, with B2.
_base_ = 'dmt_segformer-b0_1xb8_voc12aug-1of8-321x321.py'
model = dict(peers=dict(left=_base_.mit_b2, right=_base_.mit_b2))
