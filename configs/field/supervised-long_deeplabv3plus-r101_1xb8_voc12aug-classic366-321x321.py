# VOC classic 366, DeepLabV3+ R-101, twice: labels alone, as long as DMT.
_base_ = 'dmt_deeplabv3plus-r101_1xb8_voc12aug-classic366-321x321.py'
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)
