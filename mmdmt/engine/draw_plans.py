"""Plan which images each peer draws from during a phase."""

from pathlib import Path

from mmengine.runner import Runner

from mmdmt.datasets.sampler import DrawPlan, PeerPool
from mmdmt.engine.peers_of_run import model_of
from mmdmt.method.phases import Curriculum


def plan_phase(runner: Runner, curriculum: Curriculum, index: int, banks: Path) -> DrawPlan:
    """Plan all batches of a phase.

    Args:
        runner (Runner): Of the run.
        curriculum (Curriculum): Its phases.
        index (int): Number of the phase.
        banks (Path): Folder with the bank of each labeler.
    """
    dataset, phase = runner.train_dataloader.dataset, curriculum[index]
    lists = phase.labeled_lists or {}
    pools = [
        PeerPool(
            peer=name,
            labeled=dataset.labeled_indices(lists[name]) if name in lists else range(len(dataset.labeled)),
            unlabeled=() if phase.label_ratio is None else dataset.pseudo_labeled(banks / labeler),
            bank=None if phase.label_ratio is None else str(banks / labeler),
        )
        for name, labeler in model_of(runner).labelers.items()
    ]
    start, stop = curriculum.start(index), curriculum.ends[index]
    return DrawPlan(runner.seed, index, start, stop, phase.labeled, phase.pseudo, tuple(pools))
