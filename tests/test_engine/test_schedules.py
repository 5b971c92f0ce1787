import copy

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner
from toys.segmentation import run_config

from mmdmt.engine.fresh_optimizers import fit_schedulers

RAMP = {'type': 'LinearLR', 'start_factor': 1e-3, 'begin': 0, 'end': 100, 'by_epoch': False}
POLY = {'type': 'PolyLR', 'power': 0.9, 'begin': 100, 'end': 40000, 'by_epoch': False}


COSINE = {'type': 'CosineAnnealingLR', 'T_max': 900, 'begin': 50, 'by_epoch': False}
ENDLESS = {'type': 'PolyLR', 'by_epoch': False}


@pytest.mark.parametrize(
    ('config', 'fitted'),
    [
        ([RAMP, POLY], [RAMP, {**POLY, 'end': 250}]),  # a ramp keeps its length
        (ENDLESS, [{**ENDLESS, 'end': 250}]),
        (COSINE, [{**COSINE, 'end': 250, 'T_max': 200}]),
        ({'a': [POLY], 'b': [RAMP]}, {'a': [{**POLY, 'end': 250}], 'b': [RAMP]}),
    ],
)
def test_a_schedule_ends_with_the_phase_and_its_config_is_left_as_it_is(config, fitted):
    before = copy.deepcopy(config)
    assert fit_schedulers(config, 250) == fitted
    assert config == before


@pytest.mark.parametrize(
    ('scheduler', 'words'), [({**POLY, 'by_epoch': True}, 'counts epochs'), (POLY, 'begins at iteration 100')]
)
def test_what_no_phase_can_run_is_refused(scheduler, words):
    with pytest.raises(ValueError, match=words):
        fit_schedulers([scheduler], 100)


@pytest.mark.whole_run
def test_the_learning_rate_ramps_up_in_every_phase(shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path)
    linear = {'type': 'LinearLR', 'start_factor': 0.1, 'begin': 0, 'end': 2, 'by_epoch': False}
    poly = {'type': 'PolyLR', 'eta_min': 0.0, 'power': 1.0, 'begin': 2, 'by_epoch': False}
    config.param_scheduler = [linear, poly]
    rates = []
    runner = Runner.from_cfg(config)

    class Rates(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            rates.append(runner.optim_wrapper['left'].get_lr()['lr'][0])

    runner.register_hook(Rates())
    runner.train()
    assert rates[0] == rates[3] == rates[6] == pytest.approx(0.001)
    assert rates[1] == pytest.approx(0.01)
