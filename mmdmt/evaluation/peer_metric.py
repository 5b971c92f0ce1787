"""Compute any metric for each peer and for the ensemble."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmdmt.evaluation.class_iou import write_class_iou
from mmdmt.evaluation.confidence import ConfidenceCounts
from mmdmt.models.names import ENSEMBLE
from mmdmt.registry import METRICS


@METRICS.register_module()
class PeerMetric(BaseMetric):
    """Compute a metric for each peer and for the ensemble: ``coco/mIoU`` and ``ensemble/mIoU``.

    Args:
        metric (dict): Config of a metric of the toolbox, ``dict(type='IoUMetric')`` or ``dict(type='Accuracy')``. One
            that writes predictions (``output_dir``, ``format_only``) writes those of each peer and of the ensemble
            into a folder of their own: ``<output_dir>/coco``, ``<output_dir>/ensemble``.
        output_dir (str, optional): The same from outside, as ``tools/test.py --out`` sets it. Defaults to None, that of
            ``metric``.
        keep_results (bool): As ``--out`` sets it, for metrics that would remove what they have written. Defaults to
            False.

    Attributes:
        result_names: What a peer's results are called, without its name; None where that is not known before.
        ignore_index: The label that the metric ignores; None if it has none.

    Raises:
        ValueError: If the config makes no metric.
    """

    default_prefix = 'peers'  # not used: results carry the names of the peers

    def __init__(self, metric: dict[str, Any], output_dir: str | None = None, keep_results: bool = False) -> None:
        super().__init__()
        if output_dir is not None:
            metric = {**metric, 'output_dir': output_dir, 'keep_results': keep_results}
        self._config = metric
        self._metrics: dict[str, BaseMetric] = {}
        self.class_iou: dict[str, float] = {}
        """Of the last validation, as :func:`write_class_iou` has written it."""
        self.reliability: dict[str, dict[str, Any]] = {}
        """Of the last evaluation: see :meth:`~mmdmt.evaluation.confidence.ConfidenceCounts.results`."""
        self._confidence = ConfidenceCounts()
        self._written: dict[str, str] = {}
        try:
            built = METRICS.build({'prefix': 'peer', **metric})
        except (AttributeError, AssertionError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'metric={metric!r} of PeerMetric cannot be built ({" ".join(str(error).split())}): give the dict of a '
                "metric that reads pred_sem_seg, such as dict(type='IoUMetric')."
            ) from error
        self.result_names = _names_of_iou_results(built)
        self.ignore_index: int | None = getattr(built, 'ignore_index', None)

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Hand the predictions of each peer and of the ensemble to a metric of its own.

        Raises:
            ValueError: If the model has no peers, or two images of one file name would be written to one file.
        """
        for sample in data_samples:
            if 'peers' not in sample:
                raise ValueError(
                    'PeerMetric got predictions without peers: use the plain metric for models other than '
                    'mmdmt.DynamicMutualTraining, and for test-time augmentation.'
                )
            self._claim_name(str(sample.get('img_path') or ''))
            for name, prediction in sample['peers'].items():
                self._metric(name).process(data_batch, [{**sample, **prediction}])
            self._confidence.add(sample, self.ignore_index)

    def _claim_name(self, path: str) -> None:
        """Refuse two images of one file name, whose predictions would be written to one file."""
        if not path or not self._config.get('output_dir'):
            return
        other = self._written.setdefault(Path(path).stem, path)
        if other != path:
            raise ValueError(
                f'The predictions of {other} and {path} would both be written to {Path(path).stem}.png in '
                f'{self._config["output_dir"]}: test them apart, or rename one of them.'
            )

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the results of every metric, by name, over ``size`` images of the whole set."""
        for written in all_gather_object(dict(self._written)):
            for path in written.values():
                self._claim_name(path)
        # A process that was given no image takes part all the same.
        names = {name for names in all_gather_object(list(self._metrics)) for name in names}
        results: dict[str, float] = {}
        self.class_iou = {}
        self.reliability, self._confidence = self._confidence.results(size), ConfidenceCounts()
        for name in sorted(names, key=lambda name: (name == ENSEMBLE, name)):
            print_log(f'Results of {name}:', logger='current')
            self.class_iou.update(write_class_iou(self._metric(name), size))
            results.update(self._metric(name).evaluate(size))
        return results

    def results_here(self) -> dict[str, float]:
        """Compute the results of what this process has seen, without asking the others."""
        return {
            f'{metric.prefix}/{key}': value
            for metric in self._metrics.values()
            for key, value in metric.compute_metrics(metric.results).items()
        }

    def write_to(self, folder: Path) -> None:
        """Write predictions, if any are written, to a folder of their own from now on."""
        self._metrics = {}
        if self._config.get('output_dir'):
            self._config = {**self._config, 'output_dir': str(folder)}

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Not used: every peer's metric computes its own."""
        return {}

    def _metric(self, name: str) -> BaseMetric:
        if name not in self._metrics:
            config = copy.deepcopy(self._config)
            prefix = config.get('prefix')
            if config.get('output_dir'):
                config['output_dir'] = str(Path(config['output_dir']) / name)
            metric = METRICS.build({**config, 'prefix': f'{name}/{prefix}' if prefix else name})
            metric.dataset_meta = self.dataset_meta
            self._metrics[name] = metric
        return self._metrics[name]


def _names_of_iou_results(metric: BaseMetric) -> tuple[str, ...] | None:
    """Name what MMSegmentation's IoUMetric computes; None for other metrics."""
    of_kind = {'mIoU': ('mIoU', 'mAcc'), 'mDice': ('mDice', 'mAcc'), 'mFscore': ('mFscore', 'mPrecision', 'mRecall')}
    kinds = getattr(metric, 'metrics', ())
    if type(metric).__name__ != 'IoUMetric' or not set(kinds) <= set(of_kind):
        return None
    return ('aAcc', *(name for kind in kinds for name in of_kind[kind]))
