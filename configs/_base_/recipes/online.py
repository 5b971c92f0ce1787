# Labels made in the iteration that learns from them, by averaged weights; every label counts. A leaf has one phase of
# them, with averages from average.py, by
#   custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, iters=..., online=_base_.online)
# and asks for surer labels by online=dict(_base_.online, min_confidence=0.95).
online = dict(labeler='average', min_confidence=0.0)
