"""Check masks when they are loaded, and some of them before a run starts."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmdmt.labels.pixels.label_facts import flat, ignored_label
from mmdmt.labels.pixels.nodata import ignore_nodata
from mmdmt.rules.checked_pipeline import CheckedPipeline
from mmdmt.rules.file_rules import image_findings, mask_labels, mask_shape
from mmdmt.rules.findings import FileError, Finding
from mmdmt.rules.image_content import read_content

LOOKED_AT = 8
"""At how many images of a list a run looks before it starts."""
_SEARCHED = 200


@dataclass(frozen=True)
class CheckMask:
    """Refuse a mask of another size than its image, or with labels that are not a class.

    Args:
        classes (int): How many there are.
        ignore_index (int): The label that is ignored.
    """

    classes: int
    ignore_index: int

    def __call__(self, results: dict[str, Any]) -> None:
        """Check a mask that has just been loaded.

        Raises:
            FileError: If it breaks a rule.
        """
        mask, path, image = results['gt_seg_map'], str(results.get('seg_map_path')), str(results.get('img_path'))
        if mask.ndim == 2:
            ignore_nodata(results, mask, self.ignore_index)
        # In a pipeline of validation the image has been resized before its mask is loaded.
        shape = results.get('ori_shape') or getattr(results.get('img'), 'shape', None)
        finding = mask_shape(path, mask, image, shape) or mask_labels(path, mask, self.classes, self.ignore_index)
        if finding is not None:
            raise FileError(finding)


def check_masks(dataset: BaseDataset) -> None:
    """Let a plain dataset check each mask that it loads.

    Raises:
        ValueError: If the dataset and the transform that loads its masks differ in ``reduce_zero_label``.
    """
    transforms = list(dataset.pipeline.transforms)
    if isinstance(dataset.pipeline, CheckedPipeline) or not transforms:
        return
    place = next((place for place, step in enumerate(transforms) if isinstance(step, LoadAnnotations)), None)
    if place is None:
        dataset.pipeline = CheckedPipeline(transforms)
        return
    reduced = getattr(dataset, 'reduce_zero_label', False)
    for transform in flat(transforms):
        if isinstance(transform, LoadAnnotations):
            own = getattr(transform, 'reduce_zero_label', None)
            if own is not None and own != reduced:
                raise ValueError(
                    f'LoadAnnotations has reduce_zero_label={own}, but its {type(dataset).__name__} has {reduced}: set '
                    'it in the dataset, and leave it out of LoadAnnotations.'
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
    for number in _spread(len(dataset), LOOKED_AT):
        info = dataset.get_data_info(number)
        results = loading(dict(info))
        if results is None:
            continue
        odd += _image_findings(loading.transforms[0], info, results)
        if has_masks:
            mask = str(info.get('seg_map_path'))
            found.update(np.unique(results['gt_seg_map']).tolist())
    if has_masks:
        _judge(name, found, ignored_label(dataset), len(dataset.metainfo['classes']), mask)
    return odd


def absent_classes(datasets: list[BaseDataset]) -> list[str]:
    """Name the classes that no labeled mask holds."""
    images = [(part, number) for part in datasets for number in range(len(part))]
    names = list(datasets[0].metainfo['classes'])
    wanted = set(range(len(names))) - {ignored_label(datasets[0])}
    if len(images) > _SEARCHED:
        return []
    for part, number in images:
        loader = mask_loader(part.pipeline.transforms)
        if loader is None or not wanted:
            return []
        loaded = CheckedPipeline([loader])(dict(part.get_data_info(number)))
        assert loaded is not None
        wanted -= set(np.unique(loaded['gt_seg_map']).tolist())
    return [names[label] for label in sorted(wanted)]


def mask_loader(transforms: list[Any]) -> LoadAnnotations | None:
    """Return the transform of a pipeline that loads masks; None if there is none."""
    return next((step for step in transforms if isinstance(step, LoadAnnotations)), None)


def _image_findings(loader: Any, info: dict[str, Any], results: dict[str, Any]) -> list[Finding]:
    """Look at the file of a loaded image."""
    path, image = info.get('img_path'), results.get('img')
    if not isinstance(loader, LoadImageFromFile) or path is None or image is None:
        return []
    content = read_content(fileio.get(path, backend_args=loader.backend_args))
    mask, shape = results.get('gt_seg_map'), results.get('ori_shape', image.shape)
    return image_findings(path, content, loader, image, shape, None if mask is None else mask.shape)


def _judge(name: str, found: set[int], ignore_index: int, classes: int, mask: str) -> None:
    if found == {ignore_index}:
        raise ValueError(
            f'All masks of {name} that were looked at, such as {mask}, hold {ignore_index} alone, which is ignored: '
            'convert the masks, or mend reduce_zero_label or ignore_index of the dataset.'
        )
    if found == {0, ignore_index} and classes > 1:
        _warn(
            f'All masks of {name} that were looked at, such as {mask}, hold 0 and {ignore_index}, which is ignored, '
            'and no class but the first: if they are black and white, convert them to class ids.'
        )


def _spread(available: int, wanted: int) -> list[int]:
    return sorted({*np.linspace(0, available - 1, min(available, wanted)).astype(int).tolist()})


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
