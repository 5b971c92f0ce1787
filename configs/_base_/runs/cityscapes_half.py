# What the paper's runs on Cityscapes have in common: a config adds peers, lists, and how long the phases are.
_base_ = ['../default_runtime.py', '../datasets/cityscapes_half.py', '../schedules/dmt_cityscapes.py']
