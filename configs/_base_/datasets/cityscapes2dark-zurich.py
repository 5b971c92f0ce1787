# From Cityscapes (source: 2975 labeled images of clear days) to Dark Zurich (target: 2416 images of its nights, without
# labels), 19 classes; validation on its 50, in full size. The labels of its 151 test images are not published:
# tools/test.py writes the masks for the test server. How to get the data: configs/domain_adaptation/README.md.
_base_ = 'cityscapes2acdc.py'
night = dict(_delete_=True, type='DarkZurichDataset', data_root=_base_.data_root)
images = 'dark_zurich/rgb_anon'
masked = dict(img_path=f'{images}/val/night', seg_map_path='dark_zurich/gt/val/night')
unlabeled = dict(night, data_prefix=dict(img_path=f'{images}/train/night'), pipeline=_base_.unlabeled_pipeline)
train_dataloader = dict(dataset=dict(unlabeled=unlabeled))
val_dataloader = dict(dataset=dict(night, data_prefix=masked, pipeline=_base_.val_pipeline))
test_images = dict(img_path=f'{images}/test/night')
test_dataloader = dict(dataset=dict(night, data_prefix=test_images, pipeline=_base_.test_pipeline))
test_evaluator = dict(metric=dict(output_dir='dark_zurich_test'))
