# Averaged weights, which label and are validated. UniMatch has this momentum: a memory of about 250 iterations.
# A leaf adds them by
#   custom_hooks = [*_base_.custom_hooks, _base_.average]
average = dict(type='EMAHook', ema_type='MomentumAnnealingEMA', momentum=0.004, gamma=1, update_buffers=True)
