# CamVid from day to dusk: 305 labeled images of two drives by day (source); of a drive at dusk (target), the first 31
# images in time without labels, the last 31 to validate on. All of them are of the training set.
_base_ = 'camvid.py'
lists = f'{_base_.splits}/camvid/day2dusk'  # in place of those of a split id
train_dataloader = dict(
    dataset=dict(labeled=dict(ann_file=f'{lists}/day.txt'), unlabeled=dict(ann_file=f'{lists}/dusk.txt'))
)
val_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        ann_file=f'{lists}/dusk_val.txt',
    )
)
test_dataloader = val_dataloader
