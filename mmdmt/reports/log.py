"""Read environment, times and warnings from the text log of a run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

LINE = re.compile(r'(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) - \S+ - (\w+) - (.*)')
PHASE = re.compile(r'Phase (\d+) of \d+, iterations (\d+) to (\d+): (.*)\.')
LABELED = re.compile(r'Phase (\d+): pseudo labels of ')
LIST = re.compile(r'List of (\w+) images: (.*)\.')
CPU = re.compile(r'CPU time: (\d+) s')
REACHED = re.compile(r'(?:Iter\(train\) \[\s*(\d+)/|Saving checkpoint at (\d+) iterations)')
ENVIRONMENT = re.compile(r'    ([A-Za-z][\w .]*): (.+)')
TOLD = (
    'sys.platform',
    'Python',
    'PyTorch',
    'TorchVision',
    'OpenCV',
    'MMEngine',
    'CUDA available',
    'GPU 0',
    'GPU 0,1',
    'NVCC',
    'GPU number',
    'Distributed training',
    'seed',
    'numpy_random_seed',
)


@dataclass
class Log:
    """Facts from the logs of all starts of a run.

    Args:
        environment: Versions and devices, as MMEngine found them at the last start.
        starts: When each start began and when it last wrote.
        phases: For each phase its first and last iteration and its kind, in words.
        phase_seconds: Wall time of each phase, its labeling included, iterations done twice counted twice.
        labeling_seconds: Wall time of the labeling of each phase.
        cpu_seconds: CPU time of all starts that have told it, those of their data workers included; None if none has.
        lists: Which labeled, unlabeled and validation images the last start used, in words.
        messages: How often each warning and error was logged, by level and text.
        reached: The highest iteration that is named.
    """

    environment: dict[str, str] = field(default_factory=dict)
    starts: list[tuple[datetime, datetime]] = field(default_factory=list)
    phases: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    phase_seconds: dict[int, float] = field(default_factory=dict)
    labeling_seconds: dict[int, float] = field(default_factory=dict)
    cpu_seconds: float | None = None
    lists: dict[str, str] = field(default_factory=dict)
    messages: dict[tuple[str, str], int] = field(default_factory=dict)
    reached: int = 0

    @property
    def seconds(self) -> float:
        """Wall time of all starts together."""
        return sum((end - begin).total_seconds() for begin, end in self.starts)


def read_logs(files: Iterable[Path]) -> Log:
    """Read the text logs of a run.

    Args:
        files (Iterable[Path]): ``<timestamp>.log`` of each start, in their order.
    """
    log = Log()
    for file in files:
        _read(file, log)
    return log


def _read(file: Path, log: Log) -> None:
    begin: datetime | None = None
    now: datetime | None = None
    phase: tuple[int, datetime] | None = None
    message: tuple[str, str] | None = None
    reached = 0
    for line in file.read_text(errors='replace').splitlines():
        found = LINE.match(line)
        time = _time(found[1]) if found else None
        if not found or not time:
            if (told := ENVIRONMENT.fullmatch(line)) and told[1] in TOLD:
                log.environment[told[1]] = told[2]
            if message and line.strip():  # goes on in the next line
                message = (message[0], f'{message[1]}\n{line}')
            continue
        _count(log, message)
        before, now, level, text = now or time, time, found[2], found[3]
        begin = begin or now
        message = (level, text) if level in ('WARNING', 'ERROR', 'CRITICAL') else None
        if entered := PHASE.match(text):
            if phase is None or phase[0] != int(entered[1]):
                _add_phase(log, phase, now)
                phase = int(entered[1]), now
            log.phases[phase[0]] = int(entered[2]), int(entered[3]), entered[4]
        elif labeled := LABELED.match(text):
            if phase is None or phase[0] != int(labeled[1]):
                # Labels are made before their phase is entered, and count as part of it: from the line before on.
                _add_phase(log, phase, before)
                phase = int(labeled[1]), before
            log.labeling_seconds[phase[0]] = (now - phase[1]).total_seconds()
        elif named := LIST.match(text):
            log.lists[named[1]] = named[2]
        elif used := CPU.match(text):
            log.cpu_seconds = (log.cpu_seconds or 0.0) + float(used[1])
        elif iteration := REACHED.match(text):
            reached = max(reached, *(int(number) for number in iteration.groups() if number))
    _count(log, message)
    if begin and now:
        log.starts.append((begin, now))
        _add_phase(log, phase, now)
        log.reached = reached or log.reached


def _time(text: str) -> datetime | None:
    """Read the time of a line; None of one that is damaged."""
    try:
        return datetime.strptime(text, '%Y/%m/%d %H:%M:%S')
    except ValueError:
        return None


def _add_phase(log: Log, phase: tuple[int, datetime] | None, now: datetime) -> None:
    if phase:
        log.phase_seconds[phase[0]] = log.phase_seconds.get(phase[0], 0.0) + (now - phase[1]).total_seconds()


def _count(log: Log, message: tuple[str, str] | None) -> None:
    if message:
        log.messages[message] = log.messages.get(message, 0) + 1
