# Two peers of different kinds and like strength: SegFormer-B2, and UPerNet on a ConvNeXt-T that has seen ImageNet-21k.
_base_ = ['segformer.py', 'dmt_upernet_convnext-tiny.py']
b0, b2 = _base_.segformer_b0, _base_.mit_b2
segformer = dict(b0, backbone=dict(b0.backbone, **b2.backbone), decode_head=dict(b0.decode_head, **b2.decode_head))
model = dict(peers=dict(_delete_=True, segformer=segformer, convnext=_base_.model.peers.in21k))
