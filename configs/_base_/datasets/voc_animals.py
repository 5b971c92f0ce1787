# The animals of PASCAL VOC 2012, reduced to a shorter side of 160 pixels: 437 images of the official training list and
# 1200 more of the augmented one, of which a config says how many are labeled; 445 to validate on.
# How to get the data and the lists: configs/voc_animals/README.md.
_base_ = 'mutual.py'
dataset_type = 'BaseSegDataset'
data_root = 'data/voc_animals_160'
crop_size = (144, 144)
metainfo = dict(
    classes=('background', 'cat', 'cow', 'dog', 'horse', 'sheep', 'person'),
    palette=[[0, 0, 0], [64, 0, 0], [64, 128, 0], [64, 0, 128], [192, 0, 128], [128, 64, 0], [192, 128, 128]],
)
frequent = ['background', 'cat', 'dog', 'person']
rare = ['cow', 'horse', 'sheep']  # each in a tenth to a fifth of the images
folders = dict(img_path='images', seg_map_path='masks')
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
train_pipeline = [
    *load,
    dict(type='mmdmt.RandomScale', min_factor=0.5, max_factor=1.5),
    dict(type='RandomCrop', crop_size=crop_size),  # the data preprocessors pad what is smaller
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
val_pipeline = [*load, dict(type='PackSegInputs')]
suffixes = dict(img_suffix='.png', seg_map_suffix='.png')
train_dataloader = dict(
    num_workers=0,  # an image of this size is read in less than a millisecond
    dataset=dict(
        labeled=dict(
            type=dataset_type,
            data_root=data_root,
            data_prefix=folders,
            metainfo=metainfo,
            pipeline=train_pipeline,
            **suffixes,
        ),
        # Masks of unlabeled images are there to report how right their labels are, and for the oracle.
        unlabeled=dict(type=dataset_type, data_root=data_root, data_prefix=folders, metainfo=metainfo, **suffixes),
    ),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type=dataset_type,
        data_prefix=dict(img_path=f'{data_root}/images', seg_map_path=f'{data_root}/masks'),
        metainfo=metainfo,
        ann_file='splits/voc_animals/val.txt',  # without data_root all paths are of the folder in which the run starts
        pipeline=val_pipeline,
        **suffixes,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(metric=dict(type='mmdmt.SubsetIoUMetric', subsets=dict(mIoU_frequent=frequent, mIoU_rare=rare)))
test_evaluator = val_evaluator
