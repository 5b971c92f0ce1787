"""Ctrl-C and SIGTERM end a run after what it is doing, a second one at once; a loss that stays NaN stops it, too."""

import signal
import time

import pytest
import torch
from mmengine.runner import Runner
from toys.outcomes import differences, outcome
from toys.segmentation import run_config
from toys.stages import (
    Interrupt,
    InterruptNextFork,
    InterruptNextIterator,
    InterruptTwice,
    LoseSignals,
    write_config,
)

from mmdmt.engine.stop import LossWatch
from mmdmt.integrity import is_whole

WORKERS = {'train_dataloader.num_workers': 2, 'val_dataloader.num_workers': 2, 'custom_hooks.0.labeling.num_workers': 2}
# What does not depend on which checkpoints a run has written.
PARTS = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'validations')


@pytest.fixture(scope='module')
def whole(shapes_folder, tmp_path_factory, forge):
    """The outcome of a run that nothing happens to."""
    config = write_config(shapes_folder, tmp_path_factory.mktemp('stop') / 'whole')
    code, output = forge.run(config)
    assert code == 0, output[-3000:]
    return outcome(config.with_suffix(''))


def gone(forge, run):
    """Whether all processes of a run end within ten seconds."""
    for _ in range(100):
        if not forge.processes_of(run):
            return True
        time.sleep(0.1)
    return False


# The second number: two updates an iteration, ten images labeled a phase, checkpoints as in test_kills.
@pytest.mark.kill
@pytest.mark.parametrize('interval', [1, 100])  # of checkpoints
@pytest.mark.parametrize(
    ('moment', 'code', 'iteration'),
    [
        (Interrupt('training', 10), 130, 5),
        (Interrupt('training', 18, signal.SIGTERM), 143, 9),
        (Interrupt('labeling', 5), 130, 3),
        (Interrupt('checkpoint', 7), 130, 4),
        (Interrupt('validation', 6), 130, 6),
        (InterruptNextFork('training', 2, signal.SIGTERM), 143, 3),
        (InterruptNextIterator('training', 2, signal.SIGTERM), 143, 3),
        (InterruptTwice('checkpoint', 7, signal.SIGTERM), 143, 4),
    ],
    ids=lambda value: f'{type(value).__name__}_{value.stage}' if hasattr(value, 'stage') else '',
)
def test_a_signal_ends_a_run_after_what_it_is_doing(
    whole, shapes_folder, tmp_path, forge, moment, code, iteration, interval
):
    if moment.stage == 'checkpoint' and interval > 1:
        pytest.skip('counts checkpoints')
    work_dir = tmp_path / 'stopped'
    config = write_config(shapes_folder, work_dir, **WORKERS, **{'default_hooks.checkpoint.interval': interval})
    run = forge.start(config, event=moment)
    run.join(300)
    output = config.with_suffix('.log').read_text()
    assert run.exitcode == code, output[-3000:]
    checkpoint, name = work_dir / f'iter_{iteration}.pth', signal.Signals(code - 128).name
    assert f'{name} ends the run at iteration {iteration}: --resume goes on from {checkpoint}.' in output
    assert 'Traceback' not in output
    assert is_whole(checkpoint)
    assert gone(forge, run)
    config.with_suffix('.log').unlink()
    code, output = forge.run(config, '--resume')
    assert code == 0, output[-3000:]
    expected, got = ({key: of[key] for key in (PARTS if interval > 1 else of)} for of in (whole, outcome(work_dir)))
    assert not list(differences(expected, got))


@pytest.mark.kill
def test_a_second_signal_ends_a_run_that_waits_for_a_hung_worker(shapes_folder, tmp_path, forge):
    config = write_config(shapes_folder, tmp_path / 'hung', **WORKERS)
    run = forge.start(config, event=LoseSignals('training', 2, signal.SIGTERM))
    log = config.with_suffix('.log')
    while 'once more ends it at once' not in (log.read_text() if log.is_file() else ''):
        assert run.is_alive()
        time.sleep(0.1)
    time.sleep(1)
    assert run.is_alive()
    run.terminate()
    run.join(60)
    assert run.exitcode == 143
    assert 'Traceback' not in log.read_text()
    assert gone(forge, run)


@pytest.fixture
def default_handlers():
    """SIGINT as a terminal gives it, even if the tests were started with it ignored, as by `make test &`."""
    given = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield [signal.default_int_handler, signal.SIG_DFL]
    signal.signal(signal.SIGINT, given)


@pytest.mark.whole_run
def test_signals_are_given_back(shapes_folder, tmp_path, default_handlers):
    def handlers():
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    before = default_handlers
    Runner.from_cfg(run_config(shapes_folder, tmp_path / 'well')).train()
    assert handlers() == before
    # After an error they are given back when the next one comes.
    broken = {'optim_wrapper.optimizer.lr': 1e30, 'custom_hooks.0.stop_after_nan': 1}
    with pytest.raises(RuntimeError, match='NaN'):
        Runner.from_cfg(run_config(shapes_folder, tmp_path / 'ill', **broken)).train()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert handlers() == before


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
