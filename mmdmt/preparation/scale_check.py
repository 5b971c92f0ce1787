"""Compare the scale at which a network sees images in training, in labeling, in validation and in a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmdmt.preparation.image_check import ImageSource
from mmdmt.registry import TRANSFORMS, type_name
from mmdmt.rules.seeding import seeded

#: Scales that differ by more than this factor are warned of.
MOST = 1.5
_TRIES, _IMAGES = 8, 9


def scale_warnings(pipelines: Mapping[str, Sequence[Any]], sources: Mapping[str, Sequence[ImageSource]]) -> list[str]:
    """Warn where images are resized differently for two of the uses that one network has for them.

    A network recognizes objects at about the size at which it was trained. Made-up images, each as large as one of the
    list, go through the transforms; crops and padding change no scale.

    Args:
        pipelines (Mapping[str, Sequence[dict]]): The transforms of each list, by its name; of ``'unlabeled'`` those
            of pseudo-labeled images.
        sources (Mapping[str, Sequence[ImageSource]]): The images of each list.
    """
    seen: dict[str, tuple[float, float]] = {}
    for name, steps in pipelines.items():
        images = sources.get(name, ())
        places = {int(place) for place in np.linspace(0, len(images) - 1, _IMAGES)} if images else set()
        shapes = [shape for place in sorted(places) if (shape := _shape(images[place]))]
        if not shapes:
            continue
        uses = {'training' if name == 'labeled' else name: steps}
        if name == 'unlabeled':
            uses = {'training on pseudo labels': steps, 'labeling': _before_label(steps)}
        for use, transforms in uses.items():
            factor = _factor(transforms, shapes)
            if factor:
                seen[use] = factor, factor * float(np.median([min(shape) for shape in shapes]))
    # By the factor and by the size: lists of different sizes that are resized to one are as they should be, and so are
    # tiles of different sizes that nothing resizes.
    if not seen or min(max(column) / min(column) for column in zip(*seen.values(), strict=True)) <= MOST:
        return []
    told = ', '.join(f'{use} {factor:.2g} (shorter side {side:.0f})' for use, (factor, side) in seen.items())
    return [
        f'Images are resized by different factors: {told}. A network labels and predicts best at the scale that it is '
        f"trained at: put the same dict(type='Resize', scale=..., keep_ratio=True) before LoadPseudoLabel and behind "
        'LoadImageFromFile of the labeled images, of val and of test; configs/custom/dmt_custom.py has it everywhere.'
    ]


def _shape(source: ImageSource) -> tuple[int, int] | None:
    """Load the height and the width of an image; None of one that cannot be read, which is a problem of its own."""
    try:
        return source.load_image().shape[:2]
    except Exception:  # whatever a decoder raises
        return None


def _before_label(steps: Sequence[Any]) -> Sequence[Any]:
    """Return what an image goes through to be labeled."""
    labels = (place for place, step in enumerate(steps) if type_name(step) in ('LoadPseudoLabel', 'LoadAnnotations'))
    return steps[: next(labels, len(steps))]


def _factor(steps: Sequence[Any], shapes: Sequence[tuple[int, int]]) -> float | None:
    """Return by how much images are resized in the mean; None if transforms ask for what a made-up image lacks."""
    kept = [step for step in steps if not type_name(step).startswith(('Load', 'Pack'))]
    try:
        with seeded(0):
            transforms = [TRANSFORMS.build(dict(step)) for step in kept]
            factors = [_resized(transforms, shape) for shape in shapes for _ in range(_TRIES)]
    except Exception:
        return None
    return float(np.exp(np.mean(np.log(factors))))


def _resized(transforms: Sequence[Any], shape: tuple[int, int]) -> float:
    label = np.zeros(shape, np.uint8)
    results: Any = {
        'img': np.zeros((*shape, 3), np.uint8),
        'img_path': 'a made-up image',
        'img_shape': shape,
        'ori_shape': shape,
        'gt_seg_map': label,
        'pseudo_confidence': label.astype(np.float32),
        'seg_fields': ['gt_seg_map', 'pseudo_confidence'],
    }
    factor = 1.0
    for transform in transforms:
        results.pop('scale_factor', None)
        results = transform(results)
        # Every transform of the toolboxes that resizes says by how much, in width and height.
        factor *= float(np.sqrt(np.prod(results.get('scale_factor', (1.0, 1.0)))))
    return factor
