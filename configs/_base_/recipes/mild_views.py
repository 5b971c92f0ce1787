# Mild colors, for labeled and unlabeled images alike: what is blurred is measured in pixels of an image of 96.
mild_views = [
    dict(
        type='RandomApply',
        prob=0.8,
        transforms=[dict(type='mmpretrain.ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.05)],
    ),
    dict(type='RandomGrayscale', prob=0.1, keep_channels=True, color_format='bgr'),
    dict(type='mmpretrain.GaussianBlur', magnitude_range=(0.1, 0.7), magnitude_std='inf', prob=0.3),
]
