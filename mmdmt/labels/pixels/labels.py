"""Load, hide and check the masks of datasets of MMSegmentation."""

import copy
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmseg.datasets.transforms import PackSegInputs
from numpy.typing import NDArray

from mmdmt.labels.manifest import MAX_CLASSES
from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.labels.pixels.geometry import STAND_INS, check_moves_alike, push_pseudo_label
from mmdmt.labels.pixels.label_facts import (
    hand_ignored_label,
    ignored_by_transforms,
    ignored_label,
    ignored_places,
)
from mmdmt.labels.pixels.mask_checks import absent_classes, check_masks, look_at_images
from mmdmt.labels.pixels.recorder import PixelRecorder
from mmdmt.labels.pixels.transforms import LoadPseudoLabel, PackPseudoLabel
from mmdmt.labels.progress import progress
from mmdmt.rules.checked_pipeline import CheckedPipeline, Transform, described
from mmdmt.rules.file_rules import mask_labels
from mmdmt.rules.findings import FileError, Finding
from mmdmt.rules.known_transforms import check_undone

NO_CLASS = 255


class MaskReader:
    """Load the mask of an image, moved by what moves the image before it is labeled.

    Args:
        loader (LoadAnnotations, optional): Of the labeled dataset. None reads nothing.
        moves (Sequence[Callable]): What the image goes through, its own loading first.
        classes (int): How many there are.
        ignore_index (int): The label that is none.
    """

    def __init__(
        self, loader: LoadAnnotations | None, moves: Sequence[Transform], classes: int, ignore_index: int
    ) -> None:
        # A copy, because the toolbox's loader keeps the reduce_zero_label of the dataset that it first loads for.
        self._loader = copy.deepcopy(loader)
        # Where nothing moves the mask, nothing needs the image.
        self._moves = moves if len(moves) > 1 else ()
        self._classes, self._ignore_index = classes, ignore_index

    def __call__(self, info: dict[str, Any]) -> np.ndarray | None:
        """Load it.

        Returns:
            np.ndarray | None: (H, W) uint8, 255 where the mask is ignored; None if there is no mask.

        Raises:
            ValueError: If it cannot be read or holds what is not a class, naming the file.
        """
        if self._loader is None or info.get('seg_map_path') is None:
            return None
        try:
            results = self._loader(info)
        except FileNotFoundError:
            return None
        except FileError:
            raise
        except Exception as error:  # whatever the decoder raises
            raise ValueError(f'The mask {info["seg_map_path"]} cannot be read ({error!r}): replace it.') from error
        for move in self._moves:
            results = move(results)
        mask: np.ndarray = results['gt_seg_map']
        finding = mask_labels(str(info['seg_map_path']), mask, self._classes, self._ignore_index)
        if finding is not None:
            raise FileError(finding)
        mask[mask == self._ignore_index] = NO_CLASS
        return mask


class PixelLabels:
    """Every pixel of an image has a label, in a mask."""

    name = 'pixels'
    files = ('img_path', 'seg_map_path')
    label_key = 'seg_map_path'
    max_classes = MAX_CLASSES
    bank = PseudoLabelBank
    recorder = PixelRecorder

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        """Turn the pipeline of annotated images into one of pseudo-labeled images."""
        pipeline: list[Transform] = []
        for transform in labeled.pipeline.transforms:
            if isinstance(transform, LoadAnnotations):
                pipeline.append(LoadPseudoLabel())
            elif isinstance(transform, PackSegInputs):
                pipeline.append(PackPseudoLabel(meta_keys=transform.meta_keys))
            else:
                pipeline.append(transform)
        return pipeline

    def labeling_transforms(self, training: Sequence[Transform]) -> list[Transform]:
        """Return what an image goes through to be labeled: all that stands before its label is loaded, and packing.

        Raises:
            ValueError: If they load annotations, load no pseudo label, or drop its confidence or move it otherwise.
        """
        names = described(training)
        kinds = [type(transform) for transform in training]
        if any(issubclass(kind, LoadAnnotations) for kind in kinds):
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({names}) loads annotations: put dict(type='
                "'mmdmt.LoadPseudoLabel') in place of LoadAnnotations."
            )
        if LoadPseudoLabel not in kinds:
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({names}) loads no pseudo label: put dict(type='
                "'mmdmt.LoadPseudoLabel') where the labeled one loads annotations."
            )
        if kinds[-1] is not PackPseudoLabel:
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({names}) drops the confidence: end it with dict(type='
                "'mmdmt.PackPseudoLabel')."
            )
        place = kinds.index(LoadPseudoLabel)
        loader: Any = training[place]
        check_moves_alike(training[place + 1 : -1], _ignored_by(loader))
        return [*training[:place], PackSegInputs()]

    def known_items(
        self, pipeline: Sequence[Transform], info: dict[str, Any], classes: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Push an unlabeled image with a known label through the pipeline of pseudo-labeled images.

        Raises:
            ValueError: If label and confidence do not come out together.
        """
        place = [isinstance(transform, LoadPseudoLabel) for transform in pipeline].index(True)
        loader: Any = pipeline[place]
        ignored = _ignored_by(loader)
        loaded: Any = CheckedPipeline(pipeline[:place])(info)
        moved = push_pseudo_label(pipeline[place + 1 : -1], loaded, ignored, np.random.default_rng(0))
        stand_ins = moved['gt_seg_map'].astype(np.int64)
        known = (stand_ins >= STAND_INS[0]) & (stand_ins < STAND_INS[1]) & (stand_ins != ignored)
        blocks = np.where(known, (stand_ins - STAND_INS[0]) % classes, stand_ins).astype(np.uint8)
        one_class = np.where(known, int(ignored == 0), stand_ins).astype(np.uint8)
        return pipeline[-1]({**copy.deepcopy(moved), 'gt_seg_map': blocks}), pipeline[-1](
            {**moved, 'gt_seg_map': one_class}
        )

    def forget_label(self, sample: Any, ignored: int | None) -> None:
        """Give every pixel of a packed image the label that is ignored."""
        sample.gt_sem_seg.data.fill_(NO_CLASS if ignored is None else ignored)

    def hide_label(self, info: dict[str, Any]) -> None:
        """Take what says where the mask is out of the information on an unlabeled image."""
        info.pop('seg_map_path', None)

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> 'MaskReader':
        """Return what loads the mask of an unlabeled image that has one, in the geometry in which it is labeled."""
        loaders = (step for part in labeled for step in part.pipeline.transforms if isinstance(step, LoadAnnotations))
        moves, classes = labeling[:-1], len(labeled[0].metainfo['classes'])
        return MaskReader(next(loaders, None), moves, classes, ignored_label(labeled[0]))

    def class_counts(self, labeled: Sequence[BaseDataset]) -> NDArray[np.int64]:
        """Count the pixels of each class in each labeled image.

        Returns:
            np.ndarray: int64 (images, classes), in the order of the datasets.
        """
        counts = []
        with progress('Counting the pixels of each class', sum(map(len, labeled))) as bar:
            for part in labeled:
                classes = len(part.metainfo['classes'])
                read = self.truth_reader([part], [PackSegInputs()])
                for number in range(len(part)):
                    mask = read(part.get_data_info(number))
                    assert mask is not None  # the files were looked for
                    # 255, which is ignored, is above all classes.
                    counts.append(np.bincount(mask[mask < classes].ravel(), minlength=classes))
                    bar.update(1)
        return np.array(counts, np.int64)

    def check_when_loaded(self, dataset: BaseDataset) -> None:
        """Let a plain dataset check each mask that it loads, and name the file of what fails in its pipeline."""
        check_masks(dataset)

    def undo_padding(self, name: str, dataset: BaseDataset, pads_again: bool) -> None:
        """Let padding be cut off predictions for a dataset that is evaluated, and refuse what else moves its images.

        Args:
            name (str): As sentences name the dataset.
            dataset (BaseDataset): After :meth:`check_when_loaded`; changed in place.
            pads_again (bool): Whether a ``data_preprocessor`` pads in testing, too.

        Raises:
            ValueError: If its padding or another transform cannot be undone.
        """
        unknown = check_undone(name, dataset.pipeline, pads_again)
        if unknown:
            print_log(
                f'{", ".join(unknown)} in the pipeline of {name}: if they move what an image shows, predictions do not '
                'lie on it, because that is not undone.',
                logger='current',
                level=logging.WARNING,
            )
        if isinstance(dataset.pipeline, CheckedPipeline):
            dataset.pipeline.evaluated = True

    def look(self, name: str, dataset: BaseDataset) -> list[Finding]:
        """Look at some images of a plain dataset and their masks, if it has any."""
        return look_at_images(name, dataset)

    def absent_classes(self, labeled: Sequence[BaseDataset]) -> list[str]:
        """Name the classes that no labeled mask holds, if there are few enough masks to read them all."""
        return absent_classes(list(labeled))

    def ignored(self, name: str, dataset: BaseDataset) -> dict[str, int]:
        """Collect the label that a dataset with masks ignores, and those of its transforms, by the place."""
        return ignored_places(name, dataset)

    def ignored_by(self, name: str, transforms: Sequence[Transform]) -> dict[str, int]:
        """Collect the labels that the transforms of unlabeled images ignore, by the place."""
        return ignored_by_transforms(name, transforms)

    def hand_ignored(self, labeled: Sequence[BaseDataset], transforms: Sequence[Transform]) -> int | None:
        """Let the transforms of pseudo labels ignore what the labeled images ignore; return that label."""
        ignored = ignored_label(labeled[0])
        hand_ignored_label(transforms, ignored)
        return ignored

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the images that can be drawn: all, because a bank drops pixels, not images."""
        return range(len(PseudoLabelBank(bank)))


def _ignored_by(loader: LoadPseudoLabel) -> int:
    """Return the label that a loader of pseudo labels ignores, which is MMSegmentation's own if it has none."""
    return 255 if loader.ignore_index is None else loader.ignore_index
