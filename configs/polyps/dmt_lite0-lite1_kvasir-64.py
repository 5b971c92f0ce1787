# Kvasir-SEG, 50 labels: DMT as in the paper, five phases of labels in a bank and its rule.
_base_ = 'supervised_lite0-lite1_kvasir-64.py'
train_dataloader = dict(batch_size=8)
model = dict(loss=dict(gamma_agree=5.0, gamma_disagree=5.0))
phases = dict(iters=140, labeled=4, pseudo=4)
hook = dict(type='mmdmt.DMTHook', **phases, labeling=dict(num_workers=0))
custom_hooks = [hook, _base_.average]
