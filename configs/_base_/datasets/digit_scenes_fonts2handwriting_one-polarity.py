# From printed digits to handwritten ones, all light on dark: 58 % of the printed scenes are dark on light, which no
# handwritten one is, and are inverted. No label says which: mmdmt.LightOnDark tells it by the picture, in both domains.
_base_ = 'digit_scenes_fonts2handwriting.py'
load, *rest = _base_.train_pipeline
polarity = dict(type='mmdmt.LightOnDark')
train_pipeline = [load, polarity, *rest]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))
val_pipeline = [load, polarity, *_base_.val_pipeline[1:]]
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
