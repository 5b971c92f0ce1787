"""Compute the mean IoU over subsets of the classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmseg.evaluation import IoUMetric

from mmdmt.registry import METRICS


@METRICS.register_module()
class SubsetIoUMetric(IoUMetric):
    """MMSegmentation's ``IoUMetric`` with more means: of the IoU of some of the classes each.

    The areas are those of all classes: a pixel of a class in the subset that is predicted as one outside of it counts
    as an error, and the reverse. Of SYNTHIA's 16 classes it gives the mean over 13 that is reported as well::

        dict(type='mmdmt.SubsetIoUMetric', subsets=dict(mIoU13=['road', 'sidewalk', 'building', ...]))

    Args:
        subsets (Mapping[str, Sequence[str]]): For each result the classes that it is the mean of.
        **kwargs: Arguments of ``IoUMetric``.

    Raises:
        ValueError: If a subset has the name of a result of ``IoUMetric``, is empty, or names a class twice; and at the
            first batch, if it names one that the dataset does not have.
    """

    def __init__(self, subsets: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, classes in subsets.items():
            if name in ('aAcc', 'mIoU', 'mAcc', 'mDice', 'mFscore', 'mPrecision', 'mRecall'):
                raise ValueError(f'subsets of SubsetIoUMetric has {name!r}, a result of IoUMetric: take another name.')
            if not classes or len(set(classes)) < len(classes):
                raise ValueError(f'subsets[{name!r}]={list(classes)} is empty or names a class twice: name each once.')
        self.subsets = subsets

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Count the pixels of a batch, as ``IoUMetric`` does."""
        known = self.dataset_meta['classes']
        for name, classes in self.subsets.items():
            strangers = [one for one in classes if one not in known]
            if strangers:
                raise ValueError(
                    f'subsets[{name!r}] of SubsetIoUMetric names {strangers[0]!r}, but the classes of the dataset are '
                    f'{", ".join(known)}: name classes of these.'
                )
        super().process(data_batch, data_samples)

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Compute the results of ``IoUMetric`` and the mean IoU of every subset, without absent classes, in percent."""
        metrics: dict[str, float] = super().compute_metrics(results)
        if self.format_only:
            return metrics
        areas = [sum(area) for area in zip(*results, strict=True)]
        iou = self.total_area_to_metrics(*areas, metrics=['mIoU'], nan_to_num=self.nan_to_num)['IoU']
        known = list(self.dataset_meta['classes'])
        for name, classes in self.subsets.items():
            metrics[name] = np.round(np.nanmean(iou[[known.index(one) for one in classes]]) * 100, 2)
        return metrics
