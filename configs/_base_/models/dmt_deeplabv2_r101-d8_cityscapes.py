# The paper's two peers for Cityscapes at half resolution: crops of 256x512, whole images of 512x1024, 19 classes.
# The head of the COCO weights has 21 classes and does not fit: both heads start at random.
_base_ = 'dmt_deeplabv2_r101-d8.py'
cityscapes = dict(
    data_preprocessor=dict(size=(256, 512), test_cfg=None),
    # Without the attempt to load that head, which could only end in a warning.
    decode_head=dict(num_classes=19, init_cfg=[]),
)
model = dict(
    peers=dict(coco=cityscapes, imagenet=cityscapes),
    loss=dict(gamma_agree=3.0, gamma_disagree=3.0),
)
