"""Runs in processes of their own, and something that happens to them at a stage of the run.

They run the toolbox's own training script.
"""

import contextlib
import os
import resource
import signal
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from unittest import mock

import torch
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook, checkpoint_hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import IterBasedTrainLoop, ValLoop
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from mmdmt.engine.run_lock import lock_work_dir
from mmdmt.engine.run_record import RunRecord
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.models.segmentors import Segmentors
from mmdmt.scripts import run_toolbox_script
from toys import forked
from toys.segmentation import run_config

# All that has a state: dropout, norm, momentum, schedules, a gradient scaler, averaged weights, the best checkpoint.
SETTINGS = {
    'custom_imports': {'imports': ['mmdmt'], 'allow_failed_imports': False},
    'default_hooks.checkpoint.save_best': 'ensemble/mIoU',
    'default_hooks.checkpoint.rule': 'greater',
    'optim_wrapper.type': 'CpuScalerOptimWrapper',
}

# In the order in which a run first meets them; 'labeling online' once for every peer in an iteration.
STAGES = (
    'training', 'checkpoint', 'noting', 'naming', 'labeling', 'bank', 'between phases', 'validation', 'labeling online'
)  # fmt: skip

PHASE_ENDS = (3, 6)


@OPTIM_WRAPPERS.register_module(force=True)
class CpuScalerOptimWrapper(AmpOptimWrapper):
    """AmpOptimWrapper with a gradient scaler that works without a GPU, which MMEngine's demands; no autocast."""

    def __init__(self, init_scale=4.0, growth_interval=2, **settings):
        OptimWrapper.__init__(self, **settings)
        self._scale_update_param = None
        self.cast_dtype = None
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=init_scale, growth_interval=growth_interval)

    def optim_context(self, model):
        return OptimWrapper.optim_context(self, model)


@OPTIM_WRAPPERS.register_module(force=True)
class CpuAmpOptimWrapper(CpuScalerOptimWrapper):
    """The same with autocast to bfloat16."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.cast_dtype = torch.bfloat16

    def optim_context(self, model):
        return AmpOptimWrapper.optim_context(self, model)


@dataclass(frozen=True)
class Kill:
    """SIGKILL, when a stage is met for the n-th time."""

    stage: str
    time: int

    def __call__(self, stage, time, iteration):
        if (stage, time) == (self.stage, self.time):
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Interrupt(Kill):
    """A signal to the run and its data workers, as from a terminal, when a stage is met for the n-th time."""

    number: int = signal.SIGINT

    def __call__(self, stage, time, iteration):
        if (stage, time) == (self.stage, self.time):
            os.killpg(os.getpid(), self.number)


@dataclass(frozen=True)
class InterruptTwice(Interrupt):
    """The same twice, a moment apart."""

    def __call__(self, stage, time, iteration):
        super().__call__(stage, time, iteration)
        sleep(0.1)
        super().__call__(stage, time, iteration)


@dataclass(frozen=True)
class InterruptNextFork(Interrupt):
    """The same, while the next process is forked: in a hook as libraries register them, where Python drops errors."""

    def __call__(self, stage, time, iteration):
        if (stage, time) == (self.stage, self.time):
            left = [self.number]
            os.register_at_fork(before=lambda: left and os.kill(os.getpid(), left.pop()))


@dataclass(frozen=True)
class LoseSignals(InterruptNextFork):
    """The same, and the new process never begins its work and loses every SIGTERM."""

    def __call__(self, stage, time, iteration):
        super().__call__(stage, time, iteration)
        if (stage, time) == (self.stage, self.time):
            os.register_at_fork(after_in_child=_ignore_all)


@dataclass(frozen=True)
class InterruptNextIterator(Interrupt):
    """The same, while torch sets up the next iterator over data workers, which all run by then."""

    def __call__(self, stage, time, iteration):
        if (stage, time) == (self.stage, self.time):
            left, reset = [self.number], _MultiProcessingDataLoaderIter._reset

            def interrupted(iterator, *args, **settings):
                if left:
                    os.kill(os.getpid(), left.pop())
                reset(iterator, *args, **settings)

            _MultiProcessingDataLoaderIter._reset = interrupted


def _ignore_all():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    while True:
        sleep(1)


@dataclass(frozen=True)
class FillDisk(Kill):
    """From the n-th time on that a stage is met, no file grows beyond so many bytes: the system cuts writes short.

    That holds for what is printed, too, which goes to a file of its own from then on. Python ignores the signal
    that comes with it.
    """

    output: Path
    size: int = 8192

    def __call__(self, stage, time, iteration):
        if (stage, time) == (self.stage, self.time):
            forked.print_to(self.output, self.output)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@dataclass(frozen=True)
class Fail(Kill):
    """An error, when a stage is met for the n-th time."""

    rank: str = '0'

    def __call__(self, stage, time, iteration):
        if (stage, time, os.environ.get('RANK')) == (self.stage, self.time, self.rank):
            raise RuntimeError(f'rank {self.rank} has a fault while {stage}')


@dataclass(frozen=True)
class Note:
    """Keep what the run is doing in a file."""

    path: Path

    def __call__(self, stage, time, iteration):
        unfinished = self.path.with_suffix('.tmp')
        unfinished.write_text(f'{iteration} {stage}')
        unfinished.replace(self.path)


@contextlib.contextmanager
def happening(event):
    """Call ``event(stage, time, iteration)`` at every stage."""
    times, state, one_by_one = Counter(), {'iteration': 0}, threading.RLock()

    def at(stage):
        with one_by_one:  # labels are written by the threads that encode them
            times[stage] += 1
            event(stage, times[stage], state['iteration'])

    def before(owner, name, stage):
        original = getattr(owner, name)

        def replacement(*args, **kwargs):
            at(stage)
            return original(*args, **kwargs)

        return mock.patch.object(owner, name, replacement)

    run_iter, save, put = IterBasedTrainLoop.run_iter, CheckpointHook.after_train_iter, LocalBackend.put

    def count(self, data_batch):
        state['iteration'] = self.iter
        run_iter(self, data_batch)

    def between(self, runner, batch_idx, *args, **kwargs):
        if batch_idx + 1 in PHASE_ENDS:
            at('between phases')
        save(self, runner, batch_idx, *args, **kwargs)

    def put_by_halves(self, content, path):
        put(self, content[: len(content) // 2], path)
        at('checkpoint')
        put(self, content, path)

    def open_and_wait(path, mode='r'):
        file = open(path, mode)  # noqa: PTH123, SIM115 - as MMEngine opens it
        if 'w' in mode:
            at('naming')
        return file

    with (
        mock.patch.object(IterBasedTrainLoop, 'run_iter', count),
        mock.patch.object(CheckpointHook, 'after_train_iter', between),
        mock.patch.object(LocalBackend, 'put', put_by_halves),
        mock.patch.object(checkpoint_hook, 'open', open_and_wait, create=True),
        before(OptimWrapper, 'update_params', 'training'),
        before(BankWriter, 'append', 'labeling'),
        before(Manifest, 'write', 'bank'),
        before(RunRecord, 'note', 'noting'),
        before(ValLoop, 'run_iter', 'validation'),
        before(Segmentors, 'predict_views', 'labeling online'),
    ):
        yield


def write_config(root, work_dir, **settings):
    """Write the config of a run with all that has a state; return its path, beside the work_dir."""
    config = run_config(root, work_dir, **{**SETTINGS, **settings})
    config.custom_hooks.append({'type': 'EMAHook', 'momentum': 0.25})
    path = work_dir.parent / f'{work_dir.name}.py'
    config.dump(path)
    return path


def _train(config, log, event, environment, options):
    forked.begin(environment, log, log)
    sys.argv = ['train.py', str(config), *options]
    with happening(event or (lambda *_: None)):
        run_toolbox_script('train.py')


def hold_work_dir(folder, connection):
    """Be another run in a work_dir, until told to end."""
    lock_work_dir(folder)
    connection.send('locked')
    connection.recv()


class Forge:
    """Starts runs."""

    def __init__(self):
        self.context = forked.server()

    def start(self, config, *options, event=None, **environment):
        """Start a run; what it prints goes to ``<config>.log``."""
        log = Path(config).with_suffix('.log')
        process = self.context.Process(target=_train, args=(config, log, event, environment, options))
        process.start()
        return process

    @staticmethod
    def processes_of(run):
        """What is alive of a run, whether it has ended or not."""
        alive = []
        for path in Path('/proc').glob('[0-9]*/stat'):
            with contextlib.suppress(OSError):
                state, _, _, session = path.read_text().rpartition(')')[2].split()[:4]
                if int(session) == run.pid and state != 'Z':
                    alive.append(int(path.parent.name))
        return alive

    def run(self, config, *options, event=None, **environment):
        """Run to the end; return the exit code (negative: killed by that signal) and what has been printed."""
        log = Path(config).with_suffix('.log')
        log.unlink(missing_ok=True)
        process = self.start(config, *options, event=event, **environment)
        process.join(300)
        if process.is_alive():
            process.kill()
            raise TimeoutError(log.read_text()[-3000:])
        return process.exitcode, log.read_text()
