"""Report the pseudo labels of a phase: tables in the log, scalars to every visualization backend."""

import logging
from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmdmt.labels.quality import measure
from mmdmt.labels.summary import scalars, table


def report_labels(
    runner: Runner, banks: Mapping[str, Path], step: int, seconds: float | None, num_workers: int
) -> dict[str, float]:
    """Report on the pseudo labels of a phase; every process calls this."""
    dataset = runner.train_dataloader.dataset
    qualities, left_out = measure(dataset, dataset.labels, banks, num_workers)
    if not is_main_process():
        return {}
    classes = dataset.metainfo['classes']
    told: dict[str, float] = {} if seconds is None else {'pseudo/seconds': seconds}
    for name, folder in banks.items():
        manifest, quality = dataset.labels.bank(folder).manifest, qualities.get(name)
        compared = f', compared with the truth of {quality.images} of {manifest.images} images' if quality else ''
        lines = table(manifest, classes, quality)
        print_log(f'Phase {manifest.phase}: pseudo labels of {name!r}{compared}\n{lines}', logger='current')
        without = [
            cls
            for number, (cls, kept) in enumerate(zip(classes, manifest.kept, strict=True))
            if not kept and number != dataset.ignored
        ]
        if without:
            _warn(
                f'Phase {manifest.phase}: {name!r} gives no pseudo label to {", ".join(without)}: its learner sees '
                'these classes in ground truth alone.'
            )
        told.update({'pseudo/phase': manifest.phase, **scalars(manifest, classes, quality)})
    if left_out:
        _warn(left_out)
    runner.visualizer.add_scalars(told, step)
    return told


def warn_of_absent_classes(runner: Runner) -> None:
    """Warn of classes that no labeled image shows: nothing teaches them."""
    dataset = runner.train_dataloader.dataset
    absent = dataset.labels.absent_classes(dataset.parts) if is_main_process() else []
    if absent:
        _warn(
            f'No labeled image shows {", ".join(absent)}, which no peer can learn: label some, or take the class out '
            'of metainfo and heads.'
        )


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
