# CamVid, 30 labels, each peer on labels alone for as many iterations as the whole of DMT; averages are validated.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-30.py', '../_base_/recipes/average.py']
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(
    _base_, warm_up=_base_.train_cfg.max_iters, ratios=()
)
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations, of six hundred
custom_hooks += [average]
