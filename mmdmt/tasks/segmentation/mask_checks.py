"""Check some masks before a run starts."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmdmt.tasks.sample_checks import CheckSizes, naming_files


def look_at_masks(dataset: BaseDataset, check: Callable[[BaseDataset, Any], None], images: int = 8) -> None:
    """Load some images with their masks, spread evenly: what is wrong with all of them is found before a run starts.

    Args:
        dataset (BaseDataset): Labeled. If its pipeline loads no annotations, it is not looked at.
        check (Callable): Checks the label of a loaded image, given the dataset and the data sample.
        images (int): At how many to look. Defaults to 8.

    Raises:
        ValueError: If an image or mask cannot be read, they differ in size, a mask holds anything but classes, or all
            of them nothing but the ignored label.
    """
    transforms = list(getattr(getattr(dataset, 'pipeline', None), 'transforms', ()))
    loading = [place for place, step in enumerate(transforms) if isinstance(step, LoadAnnotations | CheckSizes)]
    if not loading:
        return
    from mmseg.datasets.transforms import PackSegInputs  # after the pipeline has told that it is segmentation

    steps, found = [*transforms[: loading[-1] + 1], PackSegInputs()], set()
    for number in sorted({*np.linspace(0, len(dataset) - 1, images).astype(int).tolist()}):
        results: Any = dataset.get_data_info(number)
        mask = results.get('seg_map_path')
        with naming_files(dataset, number):
            for step in steps:
                results = step(results)
        check(dataset, results['data_samples'])
        found.update(results['data_samples'].gt_sem_seg.data.unique().tolist())
    _judge(found, getattr(dataset, 'ignore_index', 255), len(dataset.metainfo['classes']), mask)


def _judge(found: set[int], ignore_index: int, classes: int, mask: Any) -> None:
    if found == {ignore_index}:
        raise ValueError(
            f'All masks that were looked at, such as {mask}, hold {ignore_index} alone, which is ignored: convert the '
            'masks, or mend reduce_zero_label or ignore_index of the labeled dataset.'
        )
    if found == {0, ignore_index} and classes > 1:
        print_log(
            f'All masks that were looked at, such as {mask}, hold 0 and {ignore_index}, which is ignored, and no class '
            'but the first: if they are black and white, convert them to class ids.',
            logger='current',
            level=logging.WARNING,
        )
