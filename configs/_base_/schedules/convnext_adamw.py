# The optimizer of ConvNeXt's own configs, without their ramp of the learning rate: layers near the image learn more
# slowly. A config says which peers have it.
convnext_adamw = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05),
    constructor='LearningRateDecayOptimizerConstructor',
    paramwise_cfg=dict(decay_rate=0.9, decay_type='stage_wise', num_layers=6),
)
