"""Read masks, check them when they are loaded and some of them before a run starts, and map their ids."""

import copy
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset, Compose
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdmt.labels.pixels.nodata import ignore_nodata
from mmdmt.rules.checked_pipeline import CheckedPipeline, Transform
from mmdmt.rules.file_rules import image_findings, mask_labels, mask_shape
from mmdmt.rules.findings import FileError, Finding
from mmdmt.rules.image_content import read_content

NO_CLASS = 255
"""The ignored label of masks that are read for a report or an oracle; the highest that a mask of 8 bits can hold."""
LOOKED_AT = 8
"""At how many images of a list a run looks before it starts."""
_SEARCHED = 200  # masks for absent classes


def ignored_label(dataset: BaseDataset) -> int:
    """Return the label that a dataset ignores."""
    return int(getattr(dataset, 'ignore_index', NO_CLASS))


def flat(transforms: Any) -> Iterator[Transform]:
    """Yield transforms, and those that others hold."""
    for transform in transforms.transforms if isinstance(transforms, Compose) else transforms:
        if isinstance(transform, list | tuple | Compose):
            yield from flat(transform)
            continue
        yield transform
        held = getattr(transform, 'transforms', None)
        if isinstance(held, list | tuple | Compose):
            yield from flat(held)


def place_of_masks(transforms: Sequence[Transform]) -> int | None:
    """Return the number of the transform that loads masks; None if there is none."""
    return next((place for place, step in enumerate(transforms) if isinstance(step, LoadAnnotations)), None)


class MaskReader:
    """Load the mask of an image by the loader of a labeled dataset, moved by what the image goes through."""

    def __init__(self, dataset: BaseDataset, moves: Sequence[Transform]) -> None:
        transforms = dataset.pipeline.transforms
        place = place_of_masks(transforms)
        # A copy, because the toolbox's loader keeps the reduce_zero_label of the dataset that it first loads for.
        self._loader: Any = None if place is None else copy.deepcopy(transforms[place])
        # Where nothing moves the mask, nothing needs the image.
        self._moves = moves if len(moves) > 1 else ()
        self._classes, self._ignore_index = len(dataset.metainfo['classes']), ignored_label(dataset)

    def __call__(self, info: dict[str, Any]) -> np.ndarray | None:
        """Load it, (H, W) uint8, 255 where it is ignored; None if there is none. Errors name the file."""
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


@dataclass(frozen=True)
class CheckMask:
    """Refuse a mask of another size than its image, or with labels that are neither classes nor ignored."""

    classes: int
    ignore_index: int

    def __call__(self, results: dict[str, Any]) -> None:
        """Check a mask that has just been loaded."""
        mask, path, image = results['gt_seg_map'], str(results.get('seg_map_path')), str(results.get('img_path'))
        if mask.ndim == 2:
            ignore_nodata(results, mask, self.ignore_index)
        # In a pipeline of validation the image has been resized before its mask is loaded.
        shape = results.get('ori_shape') or getattr(results.get('img'), 'shape', None)
        finding = mask_shape(path, mask, image, shape) or mask_labels(path, mask, self.classes, self.ignore_index)
        if finding is not None:
            raise FileError(finding)


def check_masks(dataset: BaseDataset) -> None:
    """Make a plain dataset check each mask that it loads.

    Raises:
        ValueError: If the dataset and the transform that loads its masks differ in ``reduce_zero_label``.
    """
    transforms = list(dataset.pipeline.transforms)
    if isinstance(dataset.pipeline, CheckedPipeline) or not transforms:
        return
    place = place_of_masks(transforms)
    if place is None:
        dataset.pipeline = CheckedPipeline(transforms)
        return
    reduced = getattr(dataset, 'reduce_zero_label', False)
    for transform in flat(transforms):
        own = getattr(transform, 'reduce_zero_label', None) if isinstance(transform, LoadAnnotations) else None
        if own is not None and own != reduced:
            raise ValueError(
                f'LoadAnnotations has reduce_zero_label={own}, but its {type(dataset).__name__} has {reduced}: set it '
                'in the dataset, and leave it out of LoadAnnotations.'
            )
    check = CheckMask(len(dataset.metainfo['classes']), ignored_label(dataset))
    dataset.pipeline = CheckedPipeline(transforms, check, place)


def look_at_images(name: str, dataset: BaseDataset) -> list[Finding]:
    """Load some images of a plain dataset, spread evenly: what is wrong with all is found before a run starts.

    Raises:
        ValueError: If an image or mask cannot be read, a mask breaks a rule, or all of the masks hold nothing but the
            ignored label.
    """
    pipeline = dataset.pipeline
    if not isinstance(pipeline, CheckedPipeline):
        return []  # an empty one
    loading, has_masks = pipeline.until_checked(), pipeline.check is not None
    odd: list[Finding] = []
    found: set[int] = set()
    mask = ''
    for number in {*np.linspace(0, len(dataset) - 1, min(len(dataset), LOOKED_AT)).astype(int).tolist()}:
        info = dataset.get_data_info(number)
        results = loading(dict(info))
        if results is None:
            continue
        odd += _image_findings(loading.transforms[0], info, results)
        if has_masks:
            mask = str(info.get('seg_map_path'))
            found.update(np.unique(results['gt_seg_map']).tolist())
    ignored, looked = ignored_label(dataset), f'All masks of {name} that were looked at, such as {mask}, hold'
    if has_masks and found == {ignored}:
        raise ValueError(
            f'{looked} {ignored} alone, which is ignored: convert the masks, or mend reduce_zero_label or ignore_index.'
        )
    if has_masks and found == {0, ignored} and len(dataset.metainfo['classes']) > 1:
        print_log(
            f'{looked} 0 and {ignored}, which is ignored, and no class but the first: if they are black and white, '
            'convert them to class ids.',
            logger='current',
            level=logging.WARNING,
        )
    return odd


def _image_findings(loader: Any, info: dict[str, Any], results: dict[str, Any]) -> list[Finding]:
    """Look at the file of a loaded image."""
    path, image = info.get('img_path'), results.get('img')
    if not isinstance(loader, LoadImageFromFile) or path is None or image is None:
        return []
    content = read_content(fileio.get(path, backend_args=loader.backend_args))
    mask, shape = results.get('gt_seg_map'), results.get('ori_shape', image.shape)
    return image_findings(path, content, loader, image, shape, None if mask is None else mask.shape)


def absent_classes(datasets: Sequence[BaseDataset]) -> list[str]:
    """Name the classes that no labeled mask holds, if there are few enough masks to read them all."""
    images = [(part, number) for part in datasets for number in range(len(part))]
    names = list(datasets[0].metainfo['classes'])
    wanted = set(range(len(names))) - {ignored_label(datasets[0])}
    if len(images) > _SEARCHED:
        return []
    for part, number in images:
        transforms = part.pipeline.transforms
        place = place_of_masks(transforms)
        if place is None or not wanted:
            return []
        loaded: Any = CheckedPipeline([transforms[place]])(dict(part.get_data_info(number)))
        wanted -= set(np.unique(loaded['gt_seg_map']).tolist())
    return [names[label] for label in sorted(wanted)]


def map_classes(name: str, dataset: BaseDataset, classes: Sequence[str]) -> None:
    """Give the masks of a plain dataset the ids that classes of the same names have elsewhere.

    Raises:
        ValueError: If it has a class that the model does not know.
    """
    own = list(dataset.metainfo.get('classes') or classes)
    if own == list(classes):
        return
    strange = [one for one in own if one not in classes]
    if strange:
        raise ValueError(
            f'map_classes=True of DMTHook maps classes by name, but {", ".join(strange)} of {name} must be among '
            f'{", ".join(classes)}: name the classes alike, or convert the masks.'
        )
    ignored = ignored_label(dataset)
    table = np.full(256, ignored, np.uint8)
    table[: len(own)] = [list(classes).index(one) for one in own]
    table[ignored] = ignored
    steps = list(dataset.pipeline.transforms)
    place = place_of_masks(steps)
    assert place is not None  # it has masks
    steps.insert(place + 1, partial(_map_ids, table))
    checked = dataset.pipeline  # before a run checks it, or after
    if isinstance(checked, CheckedPipeline):
        dataset.pipeline = CheckedPipeline(steps, checked.check, place, checked.evaluated)
    else:
        dataset.pipeline = Compose(steps)
    dataset._metainfo['classes'] = tuple(classes)


def _map_ids(table: NDArray[np.uint8], results: dict[str, Any]) -> dict[str, Any]:
    """Replace the ids of a loaded mask by those of a table, uint8 (256,)."""
    return {**results, 'gt_seg_map': table[results['gt_seg_map']]}
