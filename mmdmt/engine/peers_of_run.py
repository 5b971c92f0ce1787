"""Act on the peers of a run and on their averages."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from logging import Logger
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast
from mmengine.hooks import EMAHook, Hook
from mmengine.model import BaseModel, BaseTTAModel, is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapperDict
from mmengine.runner import autocast
from torch import nn

from mmdmt.labels.labeling import Precision
from mmdmt.models.mutual_training import DynamicMutualTraining


def bare_model(model: Any) -> DynamicMutualTraining:
    """Return the model of a run without its wrappers for several processes or views."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def precision_of_labeling(optimizers: OptimWrapperDict) -> Precision:
    """Return the contexts in which peers are forwarded to label: mixed precision for those that train in it."""
    return {
        name: partial(autocast, dtype=wrapper.cast_dtype)
        for name, wrapper in optimizers.items()
        if isinstance(wrapper, AmpOptimWrapper)
    }


def share_buffers(model: nn.Module) -> None:
    """Give every process the main one's batch-norm statistics, which are those of a checkpoint."""
    for buffer in model.buffers():
        broadcast(buffer)


def start_from_scratch(model: DynamicMutualTraining, phase: int, seed: int, logger: Logger) -> None:
    """Give every peer the weights that its config says, drawn for a phase."""
    for number, (name, peer) in enumerate(model.bare_peers.items()):
        seed_everything(seed, phase, number)
        peer.load_state_dict(model.fresh_weights(name))
        logger.info(f'{name} starts phase {phase} from scratch.')


def seed_everything(*entropy: int) -> None:
    """Seed every random generator of this process."""
    (seed,) = np.random.SeedSequence(entropy).generate_state(1).tolist()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class Averages:
    """The averages of the peers that MMEngine's ``EMAHook`` keeps, if there is one.

    Args:
        hooks (Sequence[Hook]): Of the run.
    """

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self._hooks = [hook for hook in hooks if isinstance(hook, EMAHook)]

    @property
    def peers(self) -> dict[str, BaseModel] | None:
        """The averaged peers by name; None without averages."""
        return next((hook.ema_model.module.bare_peers for hook in self._hooks), None)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the peers the averages for the block."""
        for hook in self._hooks:
            hook._swap_ema_parameters()  # MMPretrain's hook does more than this around a validation
        try:
            yield
        finally:
            for hook in self._hooks:
                hook._swap_ema_parameters()

    def unwrap(self) -> None:
        """Take the averaged peers out of their copies of distributed wrappers.

        Inside of these they would not find their weights in a checkpoint, which ``EMAHook`` passes over in silence.
        """
        for hook in self._hooks:
            model = hook.ema_model.module
            for name, peer in model.bare_peers.items():
                setattr(model, name, peer)

    def restart(self) -> None:
        """Begin the averages anew, from the weights that the peers have now."""
        for hook in self._hooks:
            hook.ema_model.module.load_state_dict(hook.src_model.state_dict())
            hook.ema_model.steps.zero_()  # the first update copies
