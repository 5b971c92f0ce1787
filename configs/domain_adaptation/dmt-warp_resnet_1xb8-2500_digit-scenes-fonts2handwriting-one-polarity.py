# With shapes that vary: two typefaces are all that there is to learn from, so every scene, printed or handwritten, is
# turned, sheared, stretched and bent at random, with its label.
_base_ = 'dmt_resnet_1xb8-2500_digit-scenes-fonts2handwriting-one-polarity.py'
loading, rest = _base_.train_pipeline[:-3], _base_.train_pipeline[-3:]
train_pipeline = [*loading, dict(type='mmdmt.RandomWarp'), *rest]
train_dataloader = dict(dataset=dict(labeled=dict(pipeline=train_pipeline)))
