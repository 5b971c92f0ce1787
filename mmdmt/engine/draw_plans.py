"""Plan which images each peer draws from during a phase."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import Runner

from mmdmt.engine.peers_of_run import model_of
from mmdmt.method.draws import ONLINE, TRUTH, DrawPlan, PeerPool, RareClasses
from mmdmt.method.phases import Curriculum


def plan_phase(
    runner: Runner, curriculum: Curriculum, index: int, banks: Path, rare_classes: RareClasses | None
) -> DrawPlan:
    """Plan all batches of a phase."""
    dataset, phase = runner.train_dataloader.dataset, curriculum[index]
    lists, online, pools = phase.labeled_lists or {}, phase.online_labels, []
    for name, labeler in model_of(runner).labelers.items():
        labeled = dataset.labeled_indices(lists[name]) if name in lists else range(len(dataset.labeled))
        unlabeled: Sequence[int] = ()
        source = None
        if online is not None:
            unlabeled, source = range(dataset.num_unlabeled()), TRUTH if online.labeler == TRUTH else ONLINE
        elif phase.has_bank:
            unlabeled, source = dataset.pseudo_labeled(banks / labeler), str(banks / labeler)
        pools.append(PeerPool(name, labeled, unlabeled, source))
    span, batch = (curriculum.start(index), curriculum.ends[index]), (phase.labeled, phase.pseudo)
    same_crops = online is not None and online.same_crops
    return DrawPlan(runner.seed, index, *span, *batch, tuple(pools), rare_classes, same_crops=same_crops)


def rare_classes_of(dataset: Any, settings: Mapping[str, Any]) -> RareClasses:
    """Count the classes of the labeled images, to draw by them as ``rare_classes`` of DMTHook says.

    Raises:
        ValueError: If an image has one label, or the settings fit none of the images.
    """
    counts = [dataset.class_counts() if is_main_process() else None]
    broadcast_object_list(counts)
    if counts[0] is None:
        raise ValueError('rare_classes of DMTHook draws by the labels of pixels, but an image has one label: drop it.')
    return RareClasses(counts[0], **settings)
