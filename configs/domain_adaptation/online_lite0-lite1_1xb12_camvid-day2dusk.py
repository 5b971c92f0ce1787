# CamVid from day to dusk by the recipe of configs/camvid: online labels by averages, strong views, CutMix and ClassMix.
_base_ = '../camvid/online_lite0-lite1_1xb12_camvid-30.py'
lists = f'{_base_.splits}/camvid/day2dusk'
train_dataloader = dict(
    dataset=dict(labeled=dict(ann_file=f'{lists}/day.txt'), unlabeled=dict(ann_file=f'{lists}/dusk.txt'))
)
train_part = dict(img_path='train', seg_map_path='trainannot')
val_dataloader = dict(dataset=dict(data_prefix=train_part, ann_file=f'{lists}/dusk_val.txt'))
test_dataloader = val_dataloader
