# What the schedules of segmentation have in common.
_base_ = 'any_task.py'
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False)]  # to 0, afresh in every phase
default_hooks = dict(visualization=dict(type='SegVisualizationHook'))
