# The paper's two peers: DeepLab-v2 on a ResNet-101 of output stride 8, started from COCO and from ImageNet weights.
# Each keeps the preprocessing of its weights in training, labeling, validation and export. The sizes and the 21
# classes are those of PASCAL VOC; for another data set change, in both peers, `size` and `test_cfg` of the preprocessor
# (test_cfg=None: images are predicted as large as they are) and `num_classes` of the head.

# Written by tools/model_converters/resnet101_coco.py from resnet101COCO-41f33a49.pth.
coco_weights = 'pretrain/resnet101_coco_mmseg.pth'
backbone = dict(
    type='ResNet',
    depth=101,
    strides=(1, 2, 1, 1),
    dilations=(1, 1, 2, 4),
    # The first block of a dilated stage keeps the dilation of the stage before, as in torchvision's
    # replace_stride_with_dilation=[False, True, True], with which the paper's networks were trained.
    contract_dilation=True,
    out_indices=(3,),
    style='pytorch',  # v1.5: the stride is in the 3x3 convolution
    norm_cfg=dict(type='BN', requires_grad=True),
    norm_eval=False,  # batch norm is trained
)
decode_head = dict(
    type='mmdmt.DeepLabV2Head',
    in_channels=2048,
    in_index=0,
    num_classes=21,
    # DeepLab-v2 is (6, 12, 18, 24). The loop over them in the head of the paper's code returned after its first turn,
    # so the published numbers, which this config is to reproduce, come from the sum of the first two.
    dilations=(6, 12),
    align_corners=True,
    init_cfg=[],  # as in the paper's code: torch's own, of a standard deviation of 0.0042
    loss_decode=dict(type='CrossEntropyLoss'),
)
# The paper's code pads with black before it normalizes. SegDataPreProcessor pads after that, with one number for all
# channels: these are black to within 12 of 255 levels.
coco = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        bgr_to_rgb=False,
        mean=[104.008, 116.669, 122.675],
        std=[1.0, 1.0, 1.0],
        size=(321, 321),  # the crop
        pad_val=-114.5,
        seg_pad_val=255,
        test_cfg=dict(size=(505, 505)),  # predictions are cropped back
    ),
    # These weights were trained with the stride in the 1x1 convolutions and without contract_dilation; the paper's code
    # loads them into this network all the same. The prefixes refuse a file that was not converted.
    backbone=dict(backbone, init_cfg=dict(type='Pretrained', checkpoint=coco_weights, prefix='backbone.')),
    decode_head=dict(
        decode_head,
        # COCO weights of 21 classes replace the random ones; with another number of classes they do not fit, which the
        # log then says, and the head starts at random, as the paper's on Cityscapes. Convert with these same dilations.
        init_cfg=dict(type='Pretrained', checkpoint=coco_weights, prefix='decode_head.'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
imagenet = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        bgr_to_rgb=True,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size=(321, 321),
        pad_val=-2.0,
        seg_pad_val=255,
        test_cfg=dict(size=(505, 505)),
    ),
    # Not open-mmlab://resnet101_v1c, whose stem is another.
    backbone=dict(backbone, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101')),
    decode_head=decode_head,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
model = dict(
    type='mmdmt.DynamicMutualTraining',
    peers=dict(coco=coco, imagenet=imagenet),
    loss=dict(type='mmdmt.DynamicMutualLoss', gamma_agree=5.0, gamma_disagree=5.0),
)
