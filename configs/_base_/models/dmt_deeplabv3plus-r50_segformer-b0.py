# Two peers of different kinds: the convolutions of DeepLabV3+ and the attention of SegFormer-B0, both from ImageNet.
_base_ = ['dmt_deeplabv3plus_r50-d8.py', 'segformer.py']
model = dict(peers=dict(_delete_=True, deeplab=_base_.model.peers.left, segformer=_base_.segformer_b0))
