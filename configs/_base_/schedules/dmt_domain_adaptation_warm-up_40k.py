# The same with the learning rate of DAFormer: in every phase up in a straight line for 1500 iterations, then down to 0.
_base_ = 'dmt_domain_adaptation_40k.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=1500, by_epoch=False),
    dict(type='PolyLR', power=1.0, eta_min=0.0, begin=1500, by_epoch=False),
]
