from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.utils import calc_dynamic_intervals
from toys.segmentation import run_config
from toys.told import scalars_of

from mmdmt.engine.phase_loop import plan_phase_ends, validates_at
from mmdmt.labels.labeling import weights_digest

HOOK = 'custom_hooks.0.'


def validated(ends, due, interval, dynamic=None):
    """The iterations after which MMEngine's own loop validates."""
    milestones, intervals = calc_dynamic_intervals(interval, dynamic)
    loop = SimpleNamespace(
        dynamic_milestones=milestones, dynamic_intervals=intervals, max_iters=ends[-1], val_begin=1, _iter=0
    )
    plan_phase_ends(loop, ends, due)
    found = []
    for iteration in range(1, ends[-1] + 1):
        loop._iter = iteration
        IterBasedTrainLoop._decide_current_val_interval(loop)
        own = iteration % loop.val_interval == 0 or iteration == ends[-1]
        assert own == validates_at(loop, iteration)
        if own:
            found.append(iteration)
    return found


@pytest.mark.parametrize(
    ('ends', 'interval', 'dynamic', 'with_ends', 'without'),
    [
        ((250, 300, 500), 100, None, [100, 200, 250, 300, 400, 500], [100, 200, 400, 500]),
        ((3, 4, 5, 9), 1000, None, [3, 4, 5, 9], [9]),
        ((100, 180), 40, [(100, 30)], [40, 80, 100, 120, 150, 180], [40, 80, 120, 150, 180]),
        ((100,), 30, None, [30, 60, 90, 100], [30, 60, 90, 100]),
    ],
)
def test_a_loop_validates_at_every_phase_end_or_at_none(ends, interval, dynamic, with_ends, without):
    assert validated(ends, True, interval, dynamic) == with_ends
    assert validated(ends, False, interval, dynamic) == without


class Seen(Hook):
    """Notes the weights that each validation measures."""

    def __init__(self):
        self.digests = []

    def before_val(self, runner):
        self.digests.append((runner.iter, weights_digest(runner.model.left)))


def train(root, work_dir, **settings):
    runner, seen = Runner.from_cfg(run_config(root, work_dir, **settings)), Seen()
    runner.register_hook(seen, priority='VERY_HIGH')
    runner.train()
    return runner, seen.digests, [entry['step'] for entry in scalars_of(work_dir, 'ensemble/mIoU')]


def digest_of(path):
    weights = torch.load(path)['state_dict']
    return {key.removeprefix('left.'): value for key, value in weights.items() if key.startswith('left.')}


@pytest.mark.whole_run
@pytest.mark.parametrize('interval', [3, 1000])
@pytest.mark.parametrize('carry', ['last', 'best', 'scratch'])
def test_every_phase_is_measured_once_at_its_end_by_its_last_weights(shapes_folder, tmp_path, carry, interval):
    settings = {HOOK + 'carry': carry, 'train_cfg.val_interval': interval, 'optim_wrapper.optimizer.lr': 0.5}
    runner, digests, steps = train(shapes_folder, tmp_path, **settings)
    assert steps == [3, 6, 9]
    assert [iteration for iteration, _ in digests] == steps
    start = runner.model.left
    start.load_state_dict(digest_of(tmp_path / 'iter_3.pth'))
    measured = dict(digests)[3]
    # Weights of scratch have gone when the checkpoint of the next phase's start is written.
    assert (measured == weights_digest(start)) == (carry != 'scratch')


@pytest.mark.whole_run
def test_no_phase_is_measured_before_val_begin(shapes_folder, tmp_path):
    settings = {HOOK + 'carry': 'scratch', 'train_cfg.val_interval': 1000, 'train_cfg.val_begin': 5}
    assert train(shapes_folder, tmp_path, **settings)[2] == [6, 9]
