"""Write down what a run does, one JSON object a line, for reports."""

import json
import logging
import os
import platform
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.logging import print_log
from mmengine.logging.logger import FilterDuplicateWarning
from mmengine.runner import Runner

from mmdmt.atomic_write import room_to_write
from mmdmt.datasets.image_names import list_name
from mmdmt.method.phases import Curriculum, Phase
from mmdmt.version import __version__

PACKAGES = (
    *('torch', 'numpy', 'mmengine', 'mmcv-lite', 'mmcv', 'mmsegmentation', 'mmpretrain', 'timm', 'scikit-learn'),
    *('onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation', 'onedl-mmpretrain'),
)


class RunEvents(logging.Handler):
    """The file ``<work_dir>/<timestamp>/events.jsonl`` of a start of a run, which the main process writes.

    Each line has ``event`` and ``time``. ``start`` holds iteration, settings, lists, phases, versions and machine;
    ``phase`` tells that one begins; ``labels`` and ``validation`` hold what was measured, in ``values``, and the
    latter how sure the networks were, in ``reliability``; ``warning`` what the log warns of; ``end`` that all
    iterations are done.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._path: Path | None = None
        self.addFilter(FilterDuplicateWarning('events'))  # as MMEngine's own handlers have one

    def open(self, log_dir: str, logger: logging.Logger) -> None:
        """Begin the file of a run that is about to train, and note its warnings."""
        if is_main_process():
            self._path = Path(log_dir) / 'events.jsonl'
            for handler in [one for one in logger.handlers if isinstance(one, RunEvents)]:
                logger.removeHandler(handler)  # of a run of this process that has failed
            logger.addHandler(self)

    def write(self, event: str, **facts: Any) -> None:
        """Add a line."""
        if self._path is None:
            return
        entry = {'event': event, 'time': datetime.now().isoformat(timespec='milliseconds'), **facts}
        with room_to_write(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open('a', encoding='utf-8') as file:
                file.write(json.dumps(entry, default=_plain) + '\n')

    def emit(self, record: logging.LogRecord) -> None:
        """Note a warning or an error of the log."""
        with suppress(OSError):  # of a full disk the next checkpoint tells
            self.write('warning', level=record.levelname, text=record.getMessage())

    def start(self, runner: Runner, curriculum: Curriculum, run: str) -> None:
        """Write down what begins, and log which published lists the lists of images are."""
        dataset = runner.train_dataloader.dataset
        images = {'labeled': dataset.labeled, 'unlabeled': dataset.unlabeled}
        if runner.val_loop is not None:
            images['validation'] = runner.val_loop.dataloader.dataset
        lists = {kind: list_name(of_kind) for kind, of_kind in images.items()}
        for kind, name in lists.items():
            runner.logger.info(f'List of {kind} images: {name}.')
        phases = [
            {'start': curriculum.start(number), 'stop': stop, 'kind': phase.kind, 'settings': _settings(phase)}
            for number, (phase, stop) in enumerate(zip(curriculum.phases, curriculum.ends, strict=True))
        ]
        self.write(
            'start',
            run=run,
            iteration=runner.train_loop.iter,
            iterations=curriculum.total_iters,
            config_name=Path(runner.cfg.filename or runner.experiment_name).stem,
            seed=runner.seed,
            peers=list(runner.cfg.model.peers),
            classes=list(dataset.metainfo['classes']),
            lists=lists,
            phases=phases,
            versions=versions(),
            machine=machine(),
            processes=get_world_size(),
            config=runner.cfg.to_dict(),
        )

    def end(self, iteration: int) -> None:
        """Write down that a run is done, with the seconds of CPU time of this process and of those it started."""
        used = os.times()
        seconds = used.user + used.system + used.children_user + used.children_system
        print_log(f'CPU time: {seconds:.0f} s.', logger='current')
        self.write('end', iteration=iteration, cpu_seconds=round(seconds, 1))


def _settings(phase: Phase) -> dict[str, Any]:
    """Return what is set of a phase, in place of the defaults."""
    given = {field.name: (getattr(phase, field.name), field.default) for field in fields(phase)}
    return {name: value for name, (value, default) in given.items() if value != default}


def _plain(value: Any) -> Any:
    """Return the number of a NumPy scalar as it prints, and the text of what JSON does not have, such as a class."""
    return float(str(value)) if isinstance(value, np.number) else str(value)


def machine() -> dict[str, Any]:
    """Describe this machine: its kind of processor and GPU, the number of cores, and the threads that are asked for."""
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    model = next((line.partition(':')[2].strip() for line in lines if line.startswith('model name')), '')
    return {
        'system': platform.system(),
        'kind': platform.machine(),
        'processor': model or platform.processor(),
        'cores': os.cpu_count(),
        'threads': os.environ.get('OMP_NUM_THREADS'),
        'gpu': torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on, as far as they are installed."""
    found = {'python': platform.python_version(), 'mmdmt': __version__}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
