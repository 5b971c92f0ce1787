"""Plan which images each peer draws from during a phase."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import Runner
from numpy.typing import NDArray

from mmdmt.atomic_write import atomic_write
from mmdmt.engine.peers_of_run import model_of
from mmdmt.method.draws import ONLINE, TRUTH, DrawPlan, PeerPool, RareClasses
from mmdmt.method.phases import Curriculum


def plan_phase(
    runner: Runner, curriculum: Curriculum, index: int, banks: Path, rare_classes: RareClasses | None
) -> DrawPlan:
    """Plan all batches of a phase."""
    dataset, phase = runner.train_dataloader.dataset, curriculum[index]
    lists = phase.labeled_lists or {}
    pools = []
    for name, labeler in model_of(runner).labelers.items():
        labeled = dataset.labeled_indices(lists[name]) if name in lists else range(len(dataset.labeled))
        if phase.online_labels is not None:
            source = TRUTH if phase.online_labels.labeler == TRUTH else ONLINE
            pools.append(PeerPool(name, labeled, range(dataset.num_unlabeled()), source))
        elif phase.label_ratio is not None:
            bank = banks / labeler
            pools.append(PeerPool(name, labeled, dataset.pseudo_labeled(bank), str(bank)))
        else:
            pools.append(PeerPool(name, labeled, (), None))
    start, stop = curriculum.start(index), curriculum.ends[index]
    online = phase.online_labels
    return DrawPlan(
        runner.seed,
        index,
        start,
        stop,
        phase.labeled,
        phase.pseudo,
        tuple(pools),
        rare_classes,
        same_crops=online is not None and online.same_crops,
    )


def rare_classes_of(runner: Runner, settings: Mapping[str, Any]) -> RareClasses:
    """Count the classes of the labeled images, or read what a run in this folder has counted.

    Args:
        runner (Runner): Of the run. The counts are kept in ``<work_dir>/class_counts.npz``.
        settings (dict): ``rare_classes`` of DMTHook.

    Raises:
        ValueError: If an image has one label, or the settings fit none of the images.
    """
    dataset, path = runner.train_dataloader.dataset, Path(runner.work_dir) / 'class_counts.npz'
    counts: NDArray[np.int64] | None = None
    if is_main_process():
        counts = _read_counts(path, dataset.labeled_digest())
        if counts is None:
            counts = dataset.class_counts()
            if counts is not None:
                with atomic_write(path) as unfinished, unfinished.open('wb') as file:
                    np.savez(file, counts=counts, names=dataset.labeled_digest())
    everyone = [counts]
    broadcast_object_list(everyone)
    if everyone[0] is None:
        raise ValueError('rare_classes of DMTHook draws by the labels of pixels, but an image has one label: drop it.')
    return RareClasses(everyone[0], **settings)


def _read_counts(path: Path, names: str) -> NDArray[np.int64] | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            counts: NDArray[np.int64] = kept['counts']
            return counts if str(kept['names']) == names else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
