# What the paper's runs on VOC 2012 have in common: a config adds peers, lists, and how long the phases are.
_base_ = ['../default_runtime.py', '../datasets/voc12aug.py', '../schedules/dmt_voc.py']
