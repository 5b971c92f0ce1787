"""Labels of pixels: what datasets of MMSegmentation hold, and what a learner's pipeline makes of them."""

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

from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.labels.pixels.geometry import STAND_INS, check_moves_alike, push_pseudo_label
from mmdmt.labels.pixels.masks import (
    NO_CLASS,
    MaskReader,
    absent_classes,
    check_masks,
    flat,
    ignored_label,
    look_at_images,
    place_of_masks,
)
from mmdmt.labels.pixels.recorder import PixelRecorder
from mmdmt.labels.pixels.transforms import IgnoringTransform, LoadPseudoLabel, PackPseudoLabel
from mmdmt.labels.progress import progress
from mmdmt.labels.space import LabelSpace
from mmdmt.rules.checked_pipeline import CheckedPipeline, Transform, described
from mmdmt.rules.findings import Finding
from mmdmt.rules.known_transforms import check_undone


class PixelLabels(LabelSpace):
    """Every pixel of an image has a label, in a mask."""

    name = 'pixels'
    files = ('img_path', 'seg_map_path')
    label_key = 'seg_map_path'
    max_classes = NO_CLASS
    bank = PseudoLabelBank
    recorder = PixelRecorder

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
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
        names = f'The pipeline of the unlabeled dataset ({described(training)})'
        kinds = [type(transform) for transform in training]
        if place_of_masks(training) is not None:
            raise ValueError(
                f"{names} loads annotations: put dict(type='mmdmt.LoadPseudoLabel') in place of LoadAnnotations."
            )
        if LoadPseudoLabel not in kinds:
            raise ValueError(
                f"{names} loads no pseudo label: put dict(type='mmdmt.LoadPseudoLabel') where the labeled one loads "
                'annotations.'
            )
        if kinds[-1] is not PackPseudoLabel:
            raise ValueError(f"{names} drops the confidence: end it with dict(type='mmdmt.PackPseudoLabel').")
        place = kinds.index(LoadPseudoLabel)
        loader: Any = training[place]
        check_moves_alike(training[place + 1 : -1], loader.ignored)
        return [*training[:place], PackSegInputs()]

    def known_items(
        self, pipeline: Sequence[Transform], info: dict[str, Any], classes: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        place = [isinstance(transform, LoadPseudoLabel) for transform in pipeline].index(True)
        loader: Any = pipeline[place]
        ignored = loader.ignored
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
        sample.gt_sem_seg.data.fill_(NO_CLASS if ignored is None else ignored)

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> MaskReader:
        loads = (part for part in labeled if place_of_masks(part.pipeline.transforms) is not None)
        return MaskReader(next(loads, labeled[0]), labeling[:-1])

    def class_counts(self, labeled: Sequence[BaseDataset]) -> NDArray[np.int64]:
        counts = []
        with progress('Counting the pixels of each class', sum(map(len, labeled))) as bar:
            for part in labeled:
                classes = len(part.metainfo['classes'])
                read = MaskReader(part, ())
                for number in range(len(part)):
                    mask: Any = read(part.get_data_info(number))
                    # 255, which is ignored, is above all classes.
                    counts.append(np.bincount(mask[mask < classes].ravel(), minlength=classes))
                    bar.update(1)
        return np.array(counts, np.int64)

    def check_when_loaded(self, dataset: BaseDataset) -> None:
        check_masks(dataset)

    def undo_padding(self, name: str, dataset: BaseDataset, pads_again: bool) -> None:
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
        return look_at_images(name, dataset)

    def absent_classes(self, labeled: Sequence[BaseDataset]) -> list[str]:
        return absent_classes(labeled)

    def ignored(self, name: str, dataset: BaseDataset) -> dict[str, int]:
        ignored = ignored_label(dataset)
        if not 0 <= ignored <= NO_CLASS:
            raise ValueError(
                f'ignore_index={ignored} of {name} cannot stand in a mask of 8 bits: give heads, datasets, padding and '
                f'metrics one in 0..{NO_CLASS}.'
            )
        label_map = getattr(dataset, 'label_map', None) or {}
        makes = 'reduce_zero_label=True' if getattr(dataset, 'reduce_zero_label', False) else ''
        makes = makes or ('its choice of classes' if NO_CLASS in label_map.values() else '')
        if makes and ignored != NO_CLASS:
            raise ValueError(
                f'ignore_index={ignored} of {name}, but {makes} turns labels into {NO_CLASS} when MMSegmentation loads '
                f'masks: give heads, datasets, padding and metrics ignore_index={NO_CLASS}, or convert the masks.'
            )
        transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
        return {name: ignored, **self.ignored_by(name, transforms)}

    def ignored_by(self, name: str, transforms: Sequence[Transform]) -> dict[str, int]:
        found = {}
        for transform in flat(transforms):
            for setting in ('seg_pad_val', 'seg_fill_in', 'ignore_index'):
                value = getattr(transform, setting, None)
                # Only for a limit to a class's share does RandomCrop look at labels.
                if isinstance(value, int) and getattr(transform, 'cat_max_ratio', 0) < 1:
                    found[f'{setting} of {type(transform).__name__} of {name}'] = value
            pads = getattr(transform, 'pad_val', None)
            if isinstance(pads, dict):
                found[f"pad_val['seg'] of {type(transform).__name__} of {name}"] = pads.get('seg', NO_CLASS)
        return found

    def hand_ignored(self, labeled: Sequence[BaseDataset], transforms: Sequence[Transform]) -> int | None:
        ignored = ignored_label(labeled[0])
        for transform in flat(transforms):
            if isinstance(transform, IgnoringTransform) and transform.ignore_index is None:
                transform.ignore_index = ignored
        return ignored

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        return range(len(PseudoLabelBank(bank)))  # a bank drops pixels, not images
