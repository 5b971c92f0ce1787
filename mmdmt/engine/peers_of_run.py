"""Find the peers of a run, and act on all of them."""

import random
from functools import partial

import numpy as np
import torch
from mmengine.dist import broadcast
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner, autocast

from mmdmt.labels.labeling import Precision
from mmdmt.labels.space import LabelSpace, space_named
from mmdmt.models.mutual_training import DynamicMutualTraining


def model_of(runner: Runner) -> DynamicMutualTraining:
    """Return the model of a run without what wraps it to be distributed, or to be tested on several views."""
    model = runner.model
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def labels_of(runner: Runner) -> LabelSpace:
    """Return the label space of a run, that of its peers."""
    return space_named(model_of(runner).kind.space)


def precision_of_labeling(runner: Runner) -> Precision:
    """Return the contexts in which peers are forwarded to label: for each that trains in mixed precision, the same."""
    wrappers = {name: runner.optim_wrapper[name] for name in model_of(runner).peer_names}
    return {
        name: partial(autocast, dtype=wrapper.cast_dtype)
        for name, wrapper in wrappers.items()
        if isinstance(wrapper, AmpOptimWrapper)
    }


def share_buffers(runner: Runner) -> None:
    """Give every process the main one's batch-norm statistics, those that a checkpoint holds."""
    for buffer in model_of(runner).buffers():
        broadcast(buffer)


def start_from_scratch(runner: Runner, phase: int) -> None:
    """Give every peer the weights that its config says, drawn for a phase."""
    model = model_of(runner)
    for number, (name, peer) in enumerate(model.bare_peers.items()):
        seed_everything(runner.seed, phase, number)
        peer.load_state_dict(model.fresh_weights(name))
        runner.logger.info(f'{name} starts phase {phase} from scratch.')


def seed_everything(*entropy: int) -> None:
    """Seed every random generator of this process."""
    (seed,) = np.random.SeedSequence(entropy).generate_state(1).tolist()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
