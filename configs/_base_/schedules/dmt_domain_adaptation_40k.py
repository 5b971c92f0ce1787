# 40 000 iterations in all, a quarter of them on labels alone, and AdamW, as is usual for transformers, for
# both peers. Ours: the paper has no domain adaptation.
_base_ = 'dmt_cityscapes_40k.py'
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0.0, custom_keys=dict(head=dict(lr_mult=10.0))),
)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False)]
