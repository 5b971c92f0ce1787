# What the paper's runs on VOC 2012 have in common; a config says how long they are. Mixed precision, which they used,
# is --amp of the script: it needs a GPU, and in a config would keep the run off a CPU.
_base_ = 'dmt.py'
# One learning rate and weight decay for all parameters, those of head and batch norm included.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4))
phases = dict(labeled=1, pseudo=7, lr_factor=0.5)
custom_hooks = [dict(type='mmdmt.DMTHook', **phases, carry='last', labeling=dict(batch_size=8, num_workers=4))]
train_cfg = dict(phase_val_interval=500)
