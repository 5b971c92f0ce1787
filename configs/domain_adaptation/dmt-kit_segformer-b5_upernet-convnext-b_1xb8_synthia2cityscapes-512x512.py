# SYNTHIA -> Cityscapes with the kit, with SegFormer-B5, the backbone of the field's tables, and a ConvNeXt-B.
_base_ = 'dmt-kit_segformer-b2_upernet-convnext-t_1xb8_synthia2cityscapes-512x512.py'
model = dict(peers=dict(segformer=_base_.mit_b5, convnext=_base_.convnext_base))
