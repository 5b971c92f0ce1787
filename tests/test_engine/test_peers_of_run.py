import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper

from mmdmt.engine.peers_of_run import precision_of_labeling


def wrapper(kind, **fields):
    """An optimizer wrapper that is not initialized: mixed precision asks for a GPU."""
    made = object.__new__(kind)
    vars(made).update(fields)
    return made


def test_peers_that_train_in_mixed_precision_label_in_it():
    optimizers = {'left': wrapper(AmpOptimWrapper, cast_dtype=torch.bfloat16), 'right': wrapper(OptimWrapper)}
    contexts = precision_of_labeling(optimizers)
    assert list(contexts) == ['left']
    for _ in range(2):  # once for each image
        with contexts['left']():
            assert torch.is_autocast_enabled('cpu')
            assert torch.get_autocast_dtype('cpu') == torch.bfloat16
    assert not torch.is_autocast_enabled('cpu')
