"""Load and check the labels of images in datasets of MMPretrain."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import BaseDataset
from mmpretrain.datasets.transforms import PackInputs

from mmdmt.labels.images.bank import ImageRecorder, ScoreBank
from mmdmt.labels.images.transforms import LoadPseudoImageLabel
from mmdmt.labels.space import LabelSpace, TruthReader
from mmdmt.method.draws import WEAK_VIEW
from mmdmt.rules.checked_pipeline import CheckedPipeline, Transform, described

CONFIDENCE = 'pseudo_confidence'


class ImageLabels(LabelSpace):
    """An image has one label, its class."""

    name = 'images'
    files = ('img_path',)
    label_key = 'gt_label'
    max_classes = 2**20
    bank = ScoreBank
    recorder = ImageRecorder

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        pipeline: list[Transform] = []
        for transform in labeled.pipeline.transforms:
            if isinstance(transform, PackInputs):
                keys = (*transform.algorithm_keys, CONFIDENCE, WEAK_VIEW)
                pipeline.append(PackInputs(transform.input_key, keys, transform.meta_keys))
            else:
                pipeline.append(transform)
        loads_file = isinstance(pipeline[0], LoadImageFromFile)
        pipeline.insert(1 if loads_file else 0, LoadPseudoImageLabel())
        return pipeline

    def labeling_transforms(self, training: Sequence[Transform]) -> list[Transform]:
        kinds = [type(transform) for transform in training]
        if LoadPseudoImageLabel not in kinds:
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({described(training)}) loads no pseudo label: put dict(type='
                "'mmdmt.LoadPseudoImageLabel') before the first random transform."
            )
        if CONFIDENCE not in getattr(training[-1], 'algorithm_keys', ()):
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({described(training)}) drops the confidence: end it with '
                f"dict(type='PackInputs', algorithm_keys=('{CONFIDENCE}',))."
            )
        return [*training[: kinds.index(LoadPseudoImageLabel)], PackInputs()]

    def known_items(
        self, pipeline: Sequence[Transform], info: dict[str, Any], classes: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        place = [isinstance(transform, LoadPseudoImageLabel) for transform in pipeline].index(True)
        results: Any = info
        for number, transform in enumerate(pipeline):
            results = {**results, 'gt_label': classes - 1, CONFIDENCE: 0.75} if number == place else transform(results)
        sample = results['data_samples']
        label, confidence = sample.get('gt_label'), sample.get(CONFIDENCE)
        if label is None or int(label) != classes - 1 or confidence is None or float(confidence) != 0.75:
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({described(pipeline)}) makes label {label} with confidence '
                f'{confidence} of label {classes - 1} with confidence 0.75: take transforms that leave both alone.'
            )
        other = {**results, 'data_samples': sample.clone()}
        other['data_samples'].set_gt_label(0)
        return results, other

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> TruthReader:
        return partial(_read_class, classes=len(labeled[0].metainfo['classes']))

    def check_when_loaded(self, dataset: BaseDataset) -> None:
        if not isinstance(dataset.pipeline, CheckedPipeline) and dataset.pipeline.transforms:
            check = CheckClass(len(dataset.metainfo['classes']))
            dataset.pipeline = CheckedPipeline(dataset.pipeline.transforms, check)

    def absent_classes(self, labeled: Sequence[BaseDataset]) -> list[str]:
        labels = [part.get_data_info(number).get('gt_label') for part in labeled for number in range(len(part))]
        seen = {int(label) for label in labels if np.ndim(label) == 0 and label is not None}
        return [name for label, name in enumerate(labeled[0].metainfo['classes']) if seen and label not in seen]

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        selected: list[int] = ScoreBank(bank).selected.tolist()
        return selected


@dataclass(frozen=True)
class CheckClass:
    """Refuse a packed image without a label, or with one beyond the classes, naming the image."""

    classes: int

    def __call__(self, results: dict[str, Any]) -> None:
        """Check ``data_samples``."""
        sample = results['data_samples']
        image = sample.metainfo.get('img_path', 'an image of the labeled dataset')
        if 'gt_label' not in sample:
            raise ValueError(f'{image} has no gt_label: give the labeled dataset an ann_file or class folders.')
        _check_class(image, sample.gt_label, self.classes)


def _check_class(image: Any, label: Any, classes: int) -> None:
    if not 0 <= int(label) < classes:
        raise ValueError(
            f'The label of {image} is {int(label)}, but the {classes} classes are 0..{classes - 1}: correct its list, '
            'or the classes in metainfo of the labeled dataset.'
        )


def _read_class(info: dict[str, Any], classes: int) -> np.ndarray | None:
    label = info.get('gt_label')
    if label is None:
        return None
    _check_class(info.get('img_path'), label, classes)
    return np.array([int(label)])
