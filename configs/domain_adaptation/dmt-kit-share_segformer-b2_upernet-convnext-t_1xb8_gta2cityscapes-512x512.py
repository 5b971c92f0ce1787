# GTA5 -> Cityscapes with the kit, and labels weighed as in DAFormer in place of DMT's rule.
_base_ = 'dmt-kit_segformer-b2_upernet-convnext-t_1xb8_gta2cityscapes-512x512.py'
model = dict(loss=_base_.kit_share)
