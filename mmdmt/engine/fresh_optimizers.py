"""Start optimizers, gradient scalers and schedules afresh in every phase."""

import copy
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from mmdmt.engine.schedules import fit_schedulers
from mmdmt.method.phases import Phase


class FreshOptimizers:
    """Remember how the optimizers of a run were built, to bring them back to it.

    Args:
        runner (Runner): Its optimizers have not stepped yet.
    """

    def __init__(self, runner: Runner) -> None:
        self._as_built = {name: _as_built(optimizer) for name, optimizer in runner.optim_wrapper.items()}

    def restart(self, runner: Runner, phase: Phase) -> None:
        """Bring optimizers and gradient scalers back to how they were built, and start the schedules of a phase."""
        for name, as_built in self._as_built.items():
            optimizer: OptimWrapper = runner.optim_wrapper[name]
            state = copy.deepcopy(as_built)
            factor = phase.lr_factor if phase.lr is None else phase.lr / optimizer.optimizer.defaults['lr']
            for group in state['param_groups']:
                group['lr'] *= factor
            optimizer.load_state_dict(state)
            optimizer.zero_grad()
        if runner.param_schedulers is not None:
            fitted = fit_schedulers(runner.cfg.param_scheduler, phase.iters)
            runner.param_schedulers = runner.build_param_scheduler(fitted)


def _as_built(optimizer: OptimWrapper) -> dict[str, Any]:
    """Return the state of an optimizer that has not stepped, without what schedulers have done to it."""
    state = copy.deepcopy(optimizer.state_dict())
    for group in state['param_groups']:
        for key in [key for key in group if key.startswith('initial_')]:
            group[key.removeprefix('initial_')] = group.pop(key)
    return state
