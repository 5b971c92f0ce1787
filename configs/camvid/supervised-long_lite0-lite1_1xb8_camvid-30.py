# CamVid, 30 labels, each peer on labels alone for as many iterations as the whole of DMT; averages are validated.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-30.py', '../_base_/recipes/average.py']
hook, pictures = _base_.custom_hooks
average = dict(_base_.average, momentum=0.01)  # a memory of a hundred iterations
custom_hooks = [dict(hook, warm_up=1000, ratios=()), pictures, average]
