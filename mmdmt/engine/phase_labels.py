"""Make the pseudo labels of a phase, or check those that a resumed run finds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmdmt.engine.averaging import averaged_weights
from mmdmt.engine.labeling_report import report_labels
from mmdmt.engine.peers_of_run import labels_of, model_of, precision_of_labeling, share_buffers
from mmdmt.labels.labeled_files import check_files, note_files
from mmdmt.labels.labeling import label
from mmdmt.method.phases import Curriculum
from mmdmt.models.averaged_views import AveragedViews, Predict


def make_labels(
    runner: Runner,
    curriculum: Curriculum,
    phase: int,
    folder: Path,
    run: str,
    settings: Mapping[str, Any],
) -> dict[str, float]:
    """Have every labeler label the unlabeled images for a phase, unless that happens online, and tell how it went.

    Args:
        runner (Runner): Of the run; every process of it has to call this.
        curriculum (Curriculum): The phases.
        phase (int): The number of the phase.
        folder (Path): Holds the bank of each labeler of the phase.
        run (str): The identifier of the run, for the manifests.
        settings (Mapping): ``labeling`` of :class:`mmdmt.DMTHook`.
    """
    ratio = curriculum[phase].label_ratio
    if ratio is None:
        return {}
    share_buffers(runner)
    settings = dict(settings)
    views, together = settings.pop('views', None), settings.pop('together', False)
    predict: Predict = model_of(runner).kind.predict
    if views or together:
        predict = AveragedViews(**(views or {}), peers=model_of(runner).bare_peers if together else None)
    with averaged_weights(runner):
        seconds = label(
            _labelers(runner),
            runner.train_dataloader.dataset,
            labels_of(runner),
            predict,
            folder,
            run,
            phase,
            ratio,
            precision=precision_of_labeling(runner),
            **settings,
        )
        if is_main_process() and (seconds is not None or not (folder / 'images.json').is_file()):
            note_files(folder, runner.train_dataloader.dataset.unlabeled_files())
        banks = {name: folder / name for name in _labelers(runner)}
        step, workers = curriculum.start(phase), settings.get('num_workers', 2)
        measured = report_labels(runner, banks, step, seconds, workers)
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


def _labelers(runner: Runner) -> dict[str, Any]:
    """Return the peers from which another, or the same, learns."""
    model = model_of(runner)
    return {name: peer for name, peer in model.bare_peers.items() if name in model.labelers.values()}
