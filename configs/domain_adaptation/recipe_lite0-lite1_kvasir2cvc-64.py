# From Kvasir-SEG to another hospital: the recipe, whose unlabeled images are those of CVC-ClinicDB.
_base_ = '../polyps/recipe_lite0-lite1_kvasir-64.py'
target = 'data/cvc_64'
lists = 'splits/kvasir2cvc/{}.txt'
train_dataloader = dict(dataset=dict(lists=lists, unlabeled=dict(data_root=target)))
tested = dict(img_path=f'{target}/images', seg_map_path=f'{target}/masks')
val_dataloader = dict(dataset=dict(data_prefix=tested, ann_file='splits/kvasir2cvc/val.txt'))
test_dataloader = val_dataloader
