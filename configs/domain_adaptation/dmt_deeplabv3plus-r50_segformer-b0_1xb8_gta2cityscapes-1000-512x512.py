# GTA5 -> Cityscapes with 1000 labeled target images: in the labeled stream they are to the source images as 1:1
# (25 times 1000 = 25000 beside 24966), so half of the labeled images of a batch are of the target on average.
_base_ = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_gta2cityscapes-512x512.py'
target = dict(_base_.labeled_target, ann_file=f'{_base_.lists}/labeled_1of2.975.txt')
train_dataloader = dict(
    dataset=dict(
        labeled=dict(
            _base_.both, _delete_=True, datasets=[_base_.source, dict(type='RepeatDataset', times=25, dataset=target)]
        ),
        unlabeled=dict(ann_file=f'{_base_.lists}/unlabeled_1of2.975.txt'),
    )
)
