# What UniMatch V2 trains DINOv2 with: a small learning rate for the backbone, 40 times as much for what stands on it.
dino_adamw = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=5e-6, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(neck=dict(lr_mult=40.0), head=dict(lr_mult=40.0))),
)
