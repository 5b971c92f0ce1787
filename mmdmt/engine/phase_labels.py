"""Make the pseudo labels of each phase and report on them, check those that a resumed run finds, plan the draws."""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.engine.peers_of_run import Averages, bare_model, precision_of_labeling, share_buffers
from mmdmt.labels.labeled_files import check_files, note_files
from mmdmt.labels.labeling import label
from mmdmt.labels.quality import measure
from mmdmt.labels.summary import scalars, table
from mmdmt.method.draws import ONLINE, TRUTH, DrawPlan, PeerPool, RareClasses
from mmdmt.method.phases import Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.settings import Number, check_settings

SETTINGS = {'batch_size': Number(1, whole=True), 'num_workers': Number(0, 32 * (os.cpu_count() or 1), whole=True)}
"""What the numbers of ``labeling`` may be."""


class PhaseLabels:
    """The pseudo labels of a run, a folder for each phase below ``<work_dir>/pseudo_labels/<run>``.

    Args:
        curriculum (Curriculum): The phases.
        settings (Mapping): ``labeling`` of :class:`mmdmt.DMTHook`.
        keep (int): Its ``keep_banks``.
        rare (Mapping, optional): Its ``rare_classes``.

    Raises:
        ValueError: If a setting is not allowed.
    """

    def __init__(
        self, curriculum: Curriculum, settings: Mapping[str, Any], keep: int, rare: Mapping[str, Any] | None
    ) -> None:
        check_settings('labeling of DMTHook', settings, SETTINGS)
        if unknown := set(settings) - set(SETTINGS):
            raise ValueError(f'labeling of DMTHook has {sorted(unknown)}: give {", ".join(SETTINGS)}.')
        self._curriculum, self._settings, self._keep = curriculum, dict(settings), keep
        self._root, self._rare = Path(), rare
        self._rare_classes: RareClasses | None = None

    def count_classes(self, dataset: MutualDataset) -> None:
        """Count the classes of the labeled images, to draw by them, if ``rare_classes`` asks for that.

        Raises:
            ValueError: If an image has one label, or the settings fit none of the images.
        """
        if self._rare is None:
            return
        counts = [dataset.class_counts() if is_main_process() else None]
        broadcast_object_list(counts)
        if counts[0] is None:
            raise ValueError(
                'rare_classes of DMTHook draws by the labels of pixels, but an image has one label: drop it.'
            )
        self._rare_classes = RareClasses(counts[0], **self._rare)

    def begin(self, work_dir: Path, run: str) -> None:
        """Note where the labels of a run are."""
        self._root = work_dir / 'pseudo_labels' / run

    def folder(self, phase: int) -> Path:
        """Return the folder that holds the bank of each labeler of a phase."""
        return self._root / f'phase_{phase}'

    def make(self, runner: Runner, phase: int) -> dict[str, float]:
        """Label for a phase by every labeler, unless that happens online; return what was measured of the labels.

        Every process calls this.
        """
        ratio = self._curriculum[phase].label_ratio
        if ratio is None:
            return {}
        model, dataset, folder = bare_model(runner.model), runner.train_dataloader.dataset, self.folder(phase)
        share_buffers(model)
        labelers = _labelers(model)
        with Averages(runner.hooks).in_place():
            seconds = label(
                *(labelers, dataset, dataset.labels, model.kind.predict, folder, self._root.name, phase, ratio),
                precision=precision_of_labeling(runner.optim_wrapper),
                **self._settings,
            )
            if is_main_process() and (seconds is not None or not (folder / 'images.json').is_file()):
                note_files(folder, dataset.unlabeled_files())
            banks, workers = {name: folder / name for name in labelers}, self._settings.get('num_workers', 2)
            step = self._curriculum.start(phase)
            measured = report_labels(dataset, banks, runner.visualizer, step, seconds, workers)
            runner.call_hook('after_labeling')
        return measured

    def check(self, model: DynamicMutualTraining, dataset: MutualDataset, phase: int) -> None:
        """Check that the labels of a phase are there, and are those of this run.

        Raises:
            ValueError: If a bank is of another run, phase, peer or list of images, or was selected by another ratio.
            FileNotFoundError: If a bank is missing.
        """
        folder, ratio = self.folder(phase), self._curriculum[phase].label_ratio
        of_all = dict(run=self._root.name, phase=phase, names=dataset.names_digest(), label_ratio=ratio)
        for name in _labelers(model):
            dataset.labels.bank(folder / name).manifest.check(folder / name, peer=name, **of_all)
        if is_main_process():
            check_files(folder, dataset.unlabeled_files())

    def plan(self, model: DynamicMutualTraining, dataset: MutualDataset, index: int, seed: int) -> DrawPlan:
        """Plan which images each peer draws in all batches of a phase."""
        phase, banks = self._curriculum[index], self.folder(index)
        lists, online, pools = phase.labeled_lists or {}, phase.online_labels, []
        for name, labeler in model.labelers.items():
            labeled = dataset.labeled_indices(lists[name]) if name in lists else range(len(dataset.labeled))
            unlabeled: Sequence[int] = ()
            source = None
            if online is not None:
                unlabeled, source = range(dataset.num_unlabeled()), TRUTH if online.labeler == TRUTH else ONLINE
            elif phase.has_bank:
                unlabeled, source = dataset.pseudo_labeled(banks / labeler), str(banks / labeler)
            pools.append(PeerPool(name, labeled, unlabeled, source))
        span, batch = (self._curriculum.start(index), self._curriculum.ends[index]), (phase.labeled, phase.pseudo)
        same_crops = online is not None and online.same_crops
        return DrawPlan(seed, index, *span, *batch, tuple(pools), self._rare_classes, same_crops=same_crops)

    def remove(self, iteration: int) -> None:
        """Remove those that a run does not need which is resumed from an iteration or a later one."""
        for old in range(self._curriculum.at(iteration) - self._keep + 1) if self._keep else ():
            shutil.rmtree(self.folder(old), ignore_errors=True)


def report_labels(
    dataset: Any,
    banks: Mapping[str, Path],
    visualizer: Visualizer,
    step: int,
    seconds: float | None,
    num_workers: int,
) -> dict[str, float]:
    """Report on the pseudo labels of a phase, to the log and to visualization backends; every process calls this."""
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
    visualizer.add_scalars(told, step)
    return told


def _labelers(model: DynamicMutualTraining) -> dict[str, Any]:
    """Return the peers from which another, or the same, learns."""
    return {name: peer for name, peer in model.bare_peers.items() if name in model.labelers.values()}


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
