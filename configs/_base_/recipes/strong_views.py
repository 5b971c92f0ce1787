# Strong views: the learner sees an unlabeled image in other colors than its labeler. A leaf adds them by
#   train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
# Strengths and probabilities are those of UniMatch.
strong_views = [
    dict(
        type='RandomApply',
        prob=0.8,
        transforms=[dict(type='mmpretrain.ColorJitter', brightness=0.5, contrast=0.5, saturation=0.5, hue=0.25)],
    ),
    dict(type='RandomGrayscale', prob=0.2, keep_channels=True, color_format='bgr'),
    # 'inf' draws the radius uniformly from the range.
    dict(type='mmpretrain.GaussianBlur', magnitude_range=(0.1, 2.0), magnitude_std='inf', prob=0.5),
]
