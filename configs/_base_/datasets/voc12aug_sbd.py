# VOC 2012: its own 1464 images labeled, the 9118 of SBD unlabeled.
_base_ = 'voc12aug.py'
lists = f'{_base_.splits}/voc12aug/sbd'
train_dataloader = dict(
    dataset=dict(
        labeled=dict(ann_file=f'{lists}/labeled.txt'),
        unlabeled=dict(ann_file=f'{lists}/unlabeled.txt'),
    )
)
