"""Use the averaged weights that MMEngine's ``EMAHook`` keeps, to label, to validate and to carry on."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.hooks import EMAHook
from mmengine.model import BaseModel
from mmengine.runner import Runner


@contextmanager
def averaged_weights(runner: Runner) -> Iterator[None]:
    """Let the peers hold their averaged weights until the context ends; without an ``EMAHook`` their own."""
    averages = _averages(runner)
    for hook in averages:
        hook._swap_ema_parameters()  # MMPretrain's hook does more than this around a validation
    try:
        yield
    finally:
        for hook in averages:
            hook._swap_ema_parameters()


def unwrap_averages(runner: Runner) -> None:
    """Take the averaged peers out of the distributed wrappers that were copied along with them.

    Averages are trained by nobody; and inside of wrappers they would not find their weights in a checkpoint, which
    ``EMAHook`` passes over in silence.
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
    for hook in _averages(runner):
        peers: dict[str, BaseModel] = hook.ema_model.module.bare_peers
        return peers
    return None


def _averages(runner: Runner) -> list[EMAHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
