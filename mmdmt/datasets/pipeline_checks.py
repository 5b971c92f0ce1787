"""Check that the pipeline of unlabeled images lets a label be learned where it was made."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile

from mmdmt.datasets.transforms.two_views import TwoViews
from mmdmt.rules.checked_pipeline import CheckedPipeline, described
from mmdmt.rules.seeding import seeded

_TRIES = 8
"""Passes of an image through a pipeline that must not be random."""


def check_views(transforms: Sequence[Any], pixels: bool) -> None:
    """Check that nothing moves one of two views after they have parted; with labels of ``pixels``, nor their pixels.

    Raises:
        ValueError: If it has two views elsewhere than right before the packing, or a view that moves pixels.
    """
    places = [place for place, transform in enumerate(transforms) if isinstance(transform, TwoViews)]
    if places and places != [len(transforms) - 2]:
        raise ValueError(
            f'The pipeline of the unlabeled dataset ({described(transforms)}) has TwoViews {len(places)} times, not '
            'once and right before the packing: what follows it would act on the view of the learner alone.'
        )
    if places and pixels and transforms[places[0]].moves:
        raise ValueError(
            f'TwoViews (learner_view) holds {transforms[places[0]].moves}, which is not known to change colors alone: '
            'both views need one geometry, so put it before TwoViews, where it acts on both, or vouch for it with '
            'keeps_pixels=True in its config.'
        )


def check_labeling_repeats(transforms: Sequence[Any], image: dict[str, Any]) -> None:
    """Check that an image is labeled as it is trained on: nothing before its label is loaded may be random.

    Raises:
        ValueError: If a transform is random, naming it.
    """
    tried: list[Any] = [image] * _TRIES
    for transform in transforms:
        step = CheckedPipeline([transform])
        if isinstance(transform, LoadImageFromFile):
            tried = [step(tried[0])] * _TRIES
            continue
        for seed, results in enumerate(tried):
            with seeded(seed):
                tried[seed] = step(copy.deepcopy(results))
        images = [results and results.get('img') for results in tried]
        if not all(np.array_equal(images[0], image) for image in images[1:]):
            raise ValueError(
                f'{type(transform).__name__} in the pipeline of the unlabeled dataset is random and stands before '
                'mmdmt.LoadPseudoLabel, so that an image would be trained on otherwise than it was labeled: put it '
                'behind mmdmt.LoadPseudoLabel.'
            )
