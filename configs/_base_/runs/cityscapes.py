# Cityscapes at full resolution, for networks of today: a config adds peers and lists.
_base_ = ['../default_runtime.py', '../datasets/cityscapes.py', '../schedules/dmt_cityscapes_40k.py']
