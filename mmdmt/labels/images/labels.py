"""Load, hide and check the labels of images in datasets of MMPretrain."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import BaseDataset
from mmpretrain.datasets.transforms import PackInputs

from mmdmt.labels.images.bank import ScoreBank, ScoreManifest
from mmdmt.labels.images.recorder import ImageRecorder
from mmdmt.labels.images.transforms import LoadPseudoImageLabel
from mmdmt.labels.space import TruthReader
from mmdmt.method.draws import WEAK_VIEW
from mmdmt.rules.checked_pipeline import CheckedPipeline, Transform, described
from mmdmt.rules.findings import Finding

CONFIDENCE = 'pseudo_confidence'


class ImageLabels:
    """An image has one label, its class."""

    name = 'images'
    files = ('img_path',)
    label_key = 'gt_label'
    max_classes = ScoreManifest.max_classes
    bank = ScoreBank
    recorder = ImageRecorder

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        """Turn the pipeline of labeled images into one of pseudo-labeled images."""
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
        """Return what an image goes through to be labeled: all that stands before its label is loaded, and packing.

        Raises:
            ValueError: If they load no pseudo label, or drop its confidence.
        """
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
        """Push an unlabeled image with a known label through the pipeline of pseudo-labeled images.

        Raises:
            ValueError: If label or confidence do not come out.
        """
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

    def forget_label(self, sample: Any, ignored: int | None) -> None:
        """Do nothing: an image whose label is made online has none."""

    def hide_label(self, info: dict[str, Any]) -> None:
        """Take the class out of the information on an unlabeled image."""
        info.pop('gt_label', None)

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> TruthReader:
        """Return what reads the class of an unlabeled image that has one."""
        return partial(_read_class, classes=len(labeled[0].metainfo['classes']))

    def class_counts(self, labeled: Sequence[BaseDataset]) -> None:
        """Count nothing: an image has one label."""

    def check_when_loaded(self, dataset: BaseDataset) -> None:
        """Let a plain dataset check each label that it loads, and name the file of what fails in its pipeline."""
        if not isinstance(dataset.pipeline, CheckedPipeline) and dataset.pipeline.transforms:
            check = CheckClass(len(dataset.metainfo['classes']))
            dataset.pipeline = CheckedPipeline(dataset.pipeline.transforms, check)

    def undo_padding(self, name: str, dataset: BaseDataset, pads_again: bool) -> None:
        """Do nothing: a class has no geometry."""

    def look(self, name: str, dataset: BaseDataset) -> list[Finding]:
        """Look at nothing: labels are checked when they are loaded."""
        return []

    def absent_classes(self, labeled: Sequence[BaseDataset]) -> list[str]:
        """Name the classes that no labeled image has."""
        labels = [part.get_data_info(number).get('gt_label') for part in labeled for number in range(len(part))]
        seen = {int(label) for label in labels if np.ndim(label) == 0 and label is not None}
        return [name for label, name in enumerate(labeled[0].metainfo['classes']) if seen and label not in seen]

    def ignored(self, name: str, dataset: BaseDataset) -> dict[str, int]:
        """Collect nothing: each image has a label."""
        return {}

    def ignored_by(self, name: str, transforms: Sequence[Transform]) -> dict[str, int]:
        """Collect nothing: each image has a label."""
        return {}

    def hand_ignored(self, labeled: Sequence[BaseDataset], transforms: Sequence[Transform]) -> None:
        """Do nothing: each image has a label."""

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the images that can be drawn: the most confident share."""
        selected: list[int] = ScoreBank(bank).selected.tolist()
        return selected


@dataclass(frozen=True)
class CheckClass:
    """Refuse an image without a label, or with one that is not a class.

    Args:
        classes (int): How many there are.
    """

    classes: int

    def __call__(self, results: dict[str, Any]) -> None:
        """Check the label of an image that has been packed.

        Args:
            results (dict): With ``data_samples``.

        Raises:
            ValueError: If there is no label, or it is not a class, naming the image.
        """
        sample = results['data_samples']
        image = sample.metainfo.get('img_path', 'an image of the labeled dataset')
        if 'gt_label' not in sample:
            raise ValueError(f'{image} has no gt_label: give the labeled dataset an ann_file or class folders.')
        label = int(sample.gt_label)
        if not 0 <= label < self.classes:
            raise ValueError(
                f'The label of {image} is {label}, but the {self.classes} classes are 0..{self.classes - 1}: correct '
                'its list, or the classes in metainfo of the labeled dataset.'
            )


def _read_class(info: dict[str, Any], classes: int) -> np.ndarray | None:
    label = info.get('gt_label')
    if label is not None and not 0 <= int(label) < classes:
        raise ValueError(f'The label of {info.get("img_path")} is {label}, but the classes are 0..{classes - 1}.')
    return None if label is None else np.array([int(label)])
