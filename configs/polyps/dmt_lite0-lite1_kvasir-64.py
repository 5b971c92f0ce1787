# Kvasir-SEG, 50 labels: DMT as in the paper, five phases of labels in a bank and its rule. Labeled images have the
# colors of the other rows.
_base_ = 'supervised-views_lite0-lite1_kvasir-64.py'
train_dataloader = dict(batch_size=8)
model = dict(loss=dict(gamma_agree=5.0, gamma_disagree=5.0))
phases = dict(iters=140, labeled=4, pseudo=4)
hook = dict(type='mmdmt.DMTHook', **phases, labeling=dict(batch_size=32, num_workers=0))
custom_hooks = [hook, _base_.average]
