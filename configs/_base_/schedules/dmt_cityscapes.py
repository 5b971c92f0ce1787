# What the paper's runs on Cityscapes at half resolution have in common. Mixed precision, which they used, is --amp of
# the script: it needs a GPU, and in a config would keep the run off a CPU.
_base_ = 'dmt.py'
# One learning rate and weight decay for all parameters, those of head and batch norm included.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4))
