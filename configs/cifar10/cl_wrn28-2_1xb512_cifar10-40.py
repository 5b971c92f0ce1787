# CIFAR-10, 40 labels, curriculum labeling: one peer, pseudo labels of weight 1; not in the paper.
_base_ = 'dmt_wrn28-2_1xb512_cifar10-40.py'
model = dict(
    peers=dict(_delete_=True, left=_base_.model.peers.left),
    loss=dict(gamma_agree=0.0, gamma_disagree=0.0),
)
