# The upper bound: each peer on the labels by day and on those of the 31 images at dusk, as long as the whole of DMT.
_base_ = 'source-only_lite0-lite1_1xb8_camvid-day2dusk.py'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(ann_file=f'{_base_.lists}/day_and_dusk.txt'),
        unlabeled=dict(ann_file=f'{_base_.lists}/dusk_val.txt'),  # without labels, and never drawn
    )
)
