# CIFAR-10, 1000 labels: DMT as the paper's scripts run it, one network a phase, started from scratch, that learns from
# the one of the phase before.
_base_ = 'dmt_wrn28-2_1xb512_cifar10-1000.py'
model = dict(peers=dict(_delete_=True, left=_base_.model.peers.left))
