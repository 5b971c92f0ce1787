# CamVid from day to dusk: 305 labeled images of two drives by day (source); of a drive at dusk (target), the first 31
# images in time without labels, the last 31 to validate on. All of them are of the training set.
_base_ = 'camvid.py'
# Without data_root all paths are of the folder in which the run starts, where the lists stand beside the data.
images, lists = 'data/camvid_240x180/train', 'splits/camvid/day2dusk'
folders = dict(img_path=images, seg_map_path=f'{images}annot')
train_dataloader = dict(
    dataset=dict(
        labeled=dict(data_root=None, data_prefix=folders, ann_file=f'{lists}/day.txt'),
        unlabeled=dict(data_root=None, data_prefix=dict(img_path=images), ann_file=f'{lists}/dusk.txt'),
    )
)
val_dataloader = dict(dataset=dict(data_root=None, data_prefix=folders, ann_file=f'{lists}/dusk_val.txt'))
test_dataloader = val_dataloader
