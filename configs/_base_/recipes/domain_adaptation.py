# The kit of DAFormer and MIC around mutual training: after a warm-up, labels are made in every iteration by the average
# (0.999) of the other peer's weights; labeled images are drawn by class, the rare ones oftener. At the margins of a
# target image labels are ignored; its learner sees other colors than its labeler, classes of a labeled image pasted on,
# and blanked blocks. ../runs/domain_adaptation_kit.py applies it; a config puts margins and views into its pipelines.
# Labels are weighed by DMT's rule with exponents of 1, or with kit_share as DAFormer does: all of a batch by the share
# of them that the labeler is 0.968 sure of.
margins = dict(type='mmdmt.IgnoreMargins', top=15, bottom=120)
jitter = dict(type='mmpretrain.ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2, hue=0.2)
photometry = [
    dict(type='RandomApply', prob=0.8, transforms=[jitter]),
    dict(type='mmpretrain.GaussianBlur', magnitude_range=(0.15, 1.15), magnitude_std='inf', prob=0.5),
]
views = dict(type='mmdmt.TwoViews', learner=photometry)
kit_mixes = [dict(type='mmdmt.ClassMix'), dict(type='mmdmt.BlockMask', size=64, share=0.7)]
kit_rule = dict(gamma_agree=1.0, gamma_disagree=1.0)
kit_share = dict(rule='share', share_threshold=0.968)
kit_phases = dict(warm_up=10000, iters=30000, labeled=4, pseudo=4, online=dict(labeler='average'))
kit_hooks = [
    dict(type='mmdmt.DMTHook', **kit_phases, rare_classes=dict(temperature=0.01, min_pixels=3000)),
    dict(type='EMAHook', ema_type='MomentumAnnealingEMA', momentum=0.001, gamma=1, update_buffers=True),
]
# In every phase up in a straight line for 1500 iterations, then in one down to 0.
kit_schedulers = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=1500, by_epoch=False),
    dict(type='PolyLR', power=1.0, eta_min=0.0, begin=1500, by_epoch=False),
]
