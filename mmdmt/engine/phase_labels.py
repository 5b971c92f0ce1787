"""Make the pseudo labels of a phase and report on them, or check those that a resumed run finds."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmdmt.engine.peers_of_run import averaged_weights, labels_of, model_of, precision_of_labeling, share_buffers
from mmdmt.labels.labeled_files import check_files, note_files
from mmdmt.labels.labeling import label
from mmdmt.labels.quality import measure
from mmdmt.labels.summary import scalars, table
from mmdmt.method.phases import Curriculum


def make_labels(
    runner: Runner, curriculum: Curriculum, phase: int, folder: Path, run: str, settings: Mapping[str, Any]
) -> dict[str, float]:
    """Label the unlabeled images for a phase by every labeler, unless that happens online.

    Args:
        runner (Runner): Of the run; every process of it has to call this.
        curriculum (Curriculum): The phases.
        phase (int): The number of the phase.
        folder (Path): Holds the bank of each labeler of the phase.
        run (str): The identifier of the run, for the manifests.
        settings (Mapping): ``labeling`` of :class:`mmdmt.DMTHook`.

    Returns:
        dict[str, float]: What was measured of the labels.
    """
    ratio = curriculum[phase].label_ratio
    if ratio is None:
        return {}
    share_buffers(runner)
    predict, dataset = model_of(runner).kind.predict, runner.train_dataloader.dataset
    labelers = _labelers(runner)
    with averaged_weights(runner):
        seconds = label(
            *(labelers, dataset, labels_of(runner), predict, folder, run, phase, ratio),
            precision=precision_of_labeling(runner),
            **settings,
        )
        if is_main_process() and (seconds is not None or not (folder / 'images.json').is_file()):
            note_files(folder, dataset.unlabeled_files())
        banks = {name: folder / name for name in labelers}
        measured = report_labels(runner, banks, curriculum.start(phase), seconds, settings.get('num_workers', 2))
        runner.call_hook('after_labeling')
    return measured


def check_labels(runner: Runner, curriculum: Curriculum, phase: int, folder: Path, run: str) -> None:
    """Check that the pseudo labels of a phase are there, and are those of this run.

    Raises:
        ValueError: If a bank is of another run, phase, peer or list of images, or was selected by another ratio.
        FileNotFoundError: If a bank is missing.
    """
    dataset, ratio = runner.train_dataloader.dataset, curriculum[phase].label_ratio
    for name in _labelers(runner):
        manifest = labels_of(runner).bank(folder / name).manifest
        identity = dict(run=run, phase=phase, peer=name, names=dataset.names_digest(), label_ratio=ratio)
        manifest.check(folder / name, **identity)
    if is_main_process():
        check_files(folder, dataset.unlabeled_files())


def report_labels(
    runner: Runner, banks: Mapping[str, Path], step: int, seconds: float | None, num_workers: int
) -> dict[str, float]:
    """Report on the pseudo labels of a phase, to the log and to visualization backends; every process calls this."""
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
        kept = enumerate(zip(classes, manifest.kept, strict=True))
        without = [cls for number, (cls, pixels) in kept if not pixels and number != dataset.ignored]
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


def _labelers(runner: Runner) -> dict[str, Any]:
    """Return the peers from which another, or the same, learns."""
    model = model_of(runner)
    return {name: peer for name, peer in model.bare_peers.items() if name in model.labelers.values()}


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
