# The upper bound: each peer on the labels by day and on those of the 31 images at dusk, as long as the whole of DMT.
_base_ = 'source-only_lite0-lite1_1xb8_camvid-day2dusk.py'
day_and_dusk = dict(ann_file='splits/camvid/day2dusk/day_and_dusk.txt')
never_drawn = dict(ann_file='splits/camvid/day2dusk/dusk_val.txt')  # without labels
train_dataloader = dict(dataset=dict(labeled=day_and_dusk, unlabeled=never_drawn))
