# Kvasir-SEG, 1/8 (110 labels), on labels alone: the warm-up of DMT.
_base_ = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_kvasir-seg-1of8-352x352.py'
custom_hooks = [dict(_base_.custom_hooks[0], phases=_base_.phases[:1])]
train_cfg = dict(max_iters=5000)
