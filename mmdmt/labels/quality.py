"""Measure how right pseudo labels are where the truth is known: for the report, never for training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, get_dist_info
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from mmdmt.labels.labeling import Bank, Unlabeled
from mmdmt.labels.progress import progress
from mmdmt.labels.space import LabelSpace
from mmdmt.stop_signal import SIGNAL, LeaveSignals

CHUNK = 16
"""Images that a data worker compares before it hands over its counts."""


@dataclass(frozen=True)
class Quality:
    """How the labels that a bank keeps compare with the truth, where the truth is a class; in percent, NaN of nothing.

    Args:
        right: int64 (classes,); labels of each class that are right.
        kept: int64 (classes,); labels of each class.
        true: int64 (classes,); labels whose truth is the class.
        images: How many images were compared.
    """

    right: NDArray[np.int64]
    kept: NDArray[np.int64]
    true: NDArray[np.int64]
    images: int

    @property
    def precision(self) -> NDArray[np.float64]:
        """Of each class, the share of its labels that is right."""
        return _percent(self.right, self.kept)

    @property
    def iou(self) -> NDArray[np.float64]:
        """Of each class, intersection over union with the truth."""
        return _percent(self.right, self.kept + self.true - self.right)

    @property
    def overall_precision(self) -> float:
        """The share of all labels that is right."""
        return float(_percent(self.right.sum(), self.kept.sum()))

    @property
    def mean_iou(self) -> float:
        """The mean IoU of the classes that have one."""
        known = self.iou[~np.isnan(self.iou)]
        return float(known.mean()) if known.size else float('nan')


def measure(
    dataset: Unlabeled, store: LabelSpace, banks: Mapping[str, Path], num_workers: int = 2
) -> tuple[dict[str, Quality], str]:
    """Compare the labels that complete banks, by labeler, keep with the truth, where there is one.

    Every process calls this and compares its share. What cannot be compared is left out: a report must not end a run.

    Returns:
        tuple[dict[str, Quality], str]: By labeler, none if nothing was compared; and a sentence on what was left out.
    """
    if not dataset.has_truth():
        return {}, ''
    shard = _Shard(dataset, store, banks, *get_dist_info())
    # A generator of its own: a loader draws a number when it starts, which must not be one of the run's.
    settings: dict[str, Any] = dict(collate_fn=_sum, generator=torch.Generator(), worker_init_fn=LeaveSignals())
    loader: Any = DataLoader(shard, CHUNK, num_workers=num_workers, **settings)
    total = _Counts(np.zeros((len(banks), 3, shard.classes), np.int64))
    with progress('Comparing pseudo labels with the truth', len(shard)) as bar:
        for counts in loader:
            total = _sum([total, counts])
            bar.update(counts.images)
            SIGNAL.end_if_pending()
    labels, images = torch.from_numpy(total.labels), torch.tensor([total.compared, total.left_out])
    all_reduce(labels, op='sum')
    all_reduce(images, op='sum')
    compared, wrong = images.tolist()
    first = next((why for why in all_gather_object(total.why) if why), '')
    sentence = f'{wrong} unlabeled images are left out of the comparison with their labels, first: {first}'
    right, kept, true = labels.numpy().transpose(1, 0, 2)
    qualities = {name: Quality(right[i], kept[i], true[i], compared) for i, name in enumerate(banks)}
    return (qualities if compared else {}), (sentence if wrong else '')


class _Counts(NamedTuple):
    labels: NDArray[np.int64]
    images: int = 0
    compared: int = 0
    left_out: int = 0
    why: str = ''


def _sum(counts: Sequence[_Counts]) -> _Counts:
    labels, images, compared, left_out, why = zip(*counts, strict=True)
    return _Counts(np.sum(labels, axis=0), sum(images), sum(compared), sum(left_out), next(filter(None, why), ''))


class _Shard(Dataset[_Counts]):
    """The comparisons of one process, image by image."""

    def __init__(
        self, dataset: Unlabeled, store: LabelSpace, banks: Mapping[str, Path], rank: int, world_size: int
    ) -> None:
        self.dataset, self.store, self.folders = dataset, store, list(banks.values())
        self.images = range(rank, dataset.num_unlabeled(), world_size)
        self.classes = len(dataset.metainfo['classes'])

    @cached_property
    def _banks(self) -> list[Bank]:
        return [self.store.bank(folder) for folder in self.folders]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> _Counts:
        image, nothing = self.images[number], np.zeros((len(self.folders), 3, self.classes), np.int64)
        try:
            truth = self.dataset.truth(image)
            if truth is None:
                return _Counts(nothing, images=1)
            labels = [count(bank.kept(image), truth, self.classes, self.dataset.ignored) for bank in self._banks]
        except Exception as error:  # a mask may be anything: no mask of an unlabeled image may end a run
            return _Counts(nothing, images=1, left_out=1, why=f'image {image}: {error}')
        return _Counts(np.stack(labels), images=1, compared=1)


def count(label: NDArray[Any], truth: NDArray[Any], classes: int, ignored: int | None = None) -> NDArray[np.int64]:
    """Count the labels of an image by class where label and truth are classes, int64 (3, classes) as of `Quality`.

    Raises:
        ValueError: If the shapes differ.
    """
    if label.shape != truth.shape:
        raise ValueError(f'the truth has shape {truth.shape}, but its image was labeled at {label.shape}.')
    both = (label >= 0) & (label < classes) & (truth >= 0) & (truth < classes)
    if ignored is not None:
        both &= (label != ignored) & (truth != ignored)
    label, truth = label[both], truth[both]
    return np.stack([np.bincount(one, minlength=classes) for one in (label[label == truth], label, truth)])


def _percent(part: Any, whole: Any) -> Any:
    with np.errstate(invalid='ignore'):
        return 100 * np.true_divide(part, whole)
