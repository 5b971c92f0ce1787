# Cityscapes, 19 classes, the upper bound of GTA5 -> Cityscapes: each peer on all 2975 target labels, as long as DMT.
_base_ = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_gta2cityscapes-512x512.py'
test_images = dict(img_path='cityscapes/leftImg8bit/test')  # stand where unlabeled ones have to, and are never drawn
train_dataloader = dict(
    dataset=dict(
        labeled=dict(_base_.labeled_target, _delete_=True),
        unlabeled=dict(data_prefix=test_images),
    )
)
custom_hooks = [dict(type='mmdmt.DMTHook', phases=[dict(iters=40000, labeled=8)])]
