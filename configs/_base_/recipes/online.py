# Labels made in the iteration that learns from them, by averaged weights; every label counts. A leaf has one phase of
# them, with averages from average.py, by
#   custom_hooks = [dict(_base_.custom_hooks[0], iters=..., online=_base_.online), _base_.average]
# and asks for surer labels by online=dict(_base_.online, min_confidence=0.95).
online = dict(labeler='average', min_confidence=0.0)
