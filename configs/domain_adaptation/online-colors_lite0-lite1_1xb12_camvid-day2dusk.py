# The recipe with colors that vary by day, too.
_base_ = 'online_lite0-lite1_1xb12_camvid-day2dusk.py'
*shapes, pack = _base_.train_pipeline
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=[*shapes, *_base_.strong_views, pack])))
