"""Find the peers of a run and their averages, and act on all of them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from mmengine.dist import broadcast
from mmengine.hooks import EMAHook
from mmengine.model import BaseModel, BaseTTAModel, is_model_wrapper
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner, autocast

from mmdmt.labels.labeling import Precision
from mmdmt.labels.space import LabelSpace, space_named
from mmdmt.models.mutual_training import DynamicMutualTraining


def model_of(runner: Runner) -> DynamicMutualTraining:
    """Return the model of a run without its wrappers for several processes or views."""
    model = runner.model
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def labels_of(runner: Runner) -> LabelSpace:
    """Return the label space of the peers of a run."""
    return space_named(model_of(runner).kind.space)


def precision_of_labeling(runner: Runner) -> Precision:
    """Return the contexts in which peers are forwarded to label: mixed precision for those that train in it."""
    return {
        name: partial(autocast, dtype=wrapper.cast_dtype)
        for name, wrapper in runner.optim_wrapper.items()
        if isinstance(wrapper, AmpOptimWrapper)
    }


def share_buffers(runner: Runner) -> None:
    """Give every process the main one's batch-norm statistics, which are those of a checkpoint."""
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


@contextmanager
def averaged_weights(runner: Runner) -> Iterator[None]:
    """Give the peers the averages of MMEngine's ``EMAHook``, if there is one, for the block."""
    averages = _averages(runner)
    for hook in averages:
        hook._swap_ema_parameters()  # MMPretrain's hook does more than this around a validation
    try:
        yield
    finally:
        for hook in averages:
            hook._swap_ema_parameters()


def unwrap_averages(runner: Runner) -> None:
    """Take the averaged peers out of their copies of distributed wrappers.

    Inside of these they would not find their weights in a checkpoint, which ``EMAHook`` passes over in silence.
    """
    for hook in _averages(runner):
        model = hook.ema_model.module
        for name, peer in model.bare_peers.items():
            setattr(model, name, peer)


def restart_averages(runner: Runner) -> None:
    """Begin the averages anew, from the weights that the peers have now."""
    for hook in _averages(runner):
        hook.ema_model.module.load_state_dict(hook.src_model.state_dict())
        hook.ema_model.steps.zero_()  # the first update copies


def averaged_peers(runner: Runner) -> dict[str, BaseModel] | None:
    """Return the averaged peers by name; None without an ``EMAHook``."""
    return next((hook.ema_model.module.bare_peers for hook in _averages(runner)), None)


def _averages(runner: Runner) -> list[EMAHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
