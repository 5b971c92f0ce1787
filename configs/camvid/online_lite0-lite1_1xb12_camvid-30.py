# CamVid, 30 labels, one phase without a warm-up: the peers' averages label the weak views for each other in every
# iteration; what they are at least 0.7 sure of is learned from strong views with CutMix. Crops of 128x128.
_base_ = [
    'dmt_lite0-lite1_1xb8_camvid-30.py',
    '../_base_/recipes/strong_views.py',
    '../_base_/recipes/cutmix.py',
    '../_base_/recipes/average.py',
]
crop = dict(type='RandomCrop', crop_size=(128, 128))
pipeline = [*_base_.train_pipeline[:3], crop, *_base_.train_pipeline[4:]]
train_dataloader = dict(batch_size=12, dataset=dict(labeled=dict(pipeline=pipeline), learner_view=_base_.strong_views))
size = dict(data_preprocessor=dict(size=(128, 128)))
model = dict(
    peers=dict(lite0=size, lite1=dict(size, backbone=dict(output_stride=32))),
    mixes=_base_.cutmix,
    loss=dict(gamma_agree=1.0, gamma_disagree=1.0),
)
hook = dict(_base_.hook, phases=[dict(labeled=12), dict(labeled=8, pseudo=4)])
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, hook=hook, warm_up=0, iters=600, online=dict(labeler='average', min_confidence=0.7), val_interval=200
)
custom_hooks += [dict(_base_.average, momentum=0.01)]
