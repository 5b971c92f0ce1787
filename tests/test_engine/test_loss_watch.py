import pytest
import torch

from mmdmt.engine.loss_watch import LossWatch

NAN, INF = float('nan'), float('inf')


def see(watch, values):
    for iteration, value in enumerate(values):
        loss = torch.tensor(value)
        watch.see(iteration, {'loss': loss, 'left.decode.loss_dmt': loss, 'right.decode.loss_dmt': torch.tensor(1.0)})


def test_a_loss_that_stays_nan_stops_the_run_and_says_since_when_and_whose():
    words = (
        r'NaN or infinite for 5 iterations, from iteration 1 on \(left.decode.loss_dmt\): lower the learning rate.*'
        'checkpoint written well before iteration 1'
    )
    with pytest.raises(RuntimeError, match=words):
        see(LossWatch(3), [1.0, NAN, INF, NAN, -INF, NAN, 1.0])


def test_single_steps_may_pass():
    see(LossWatch(3), [NAN, NAN, 1.0] * 10)


def test_zero_lets_everything_pass():
    see(LossWatch(0), [NAN] * 30)
