"""Compare the scale at which a network sees images in training, in labeling, in validation and in a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmdmt.preparation.image_check import ImageSource
from mmdmt.registry import TRANSFORMS
from mmdmt.rules.seeding import seeded

#: Scales that differ by more than this factor are warned of.
MOST = 1.5
_TRIES, _IMAGES = 8, 9
_LABELING = 'labeling'


def scale_warnings(pipelines: Mapping[str, Sequence[Any]], sources: Mapping[str, Sequence[ImageSource]]) -> list[str]:
    """Warn where images are resized differently for two of the uses that one network has for them.

    A network recognizes objects at about the size at which it was trained. Images of made-up content, each as large as
    an image of the list, go through the transforms; crops and padding change no scale.

    Args:
        pipelines (Mapping[str, Sequence[dict]]): The transforms of each list, by its name; of ``'unlabeled'`` those
            of pseudo-labeled images.
        sources (Mapping[str, Sequence[ImageSource]]): The images of each list.
    """
    seen: dict[str, tuple[float, float]] = {}
    for name, steps in pipelines.items():
        images = sources.get(name, ())
        shapes = [shape for shape in map(_shape, _spread(images)) if shape]
        if not shapes:
            continue
        uses = {'training' if name in ('labeled', 'unlabeled') else name: list(steps)}
        if name == 'unlabeled':
            uses = {'training on pseudo labels': list(steps), _LABELING: _before_label(steps)}
        for use, transforms in uses.items():
            factors = _factors(transforms, shapes)
            if factors:
                side = float(np.median([min(shape) for shape in shapes]))
                factor = _middle(factors)
                seen[use] = (factor, factor * side)
    # By the factor and by the size: lists of different sizes that are resized to one are as they should be, and so are
    # tiles of different sizes that nothing resizes.
    if not seen or min(_spans(seen)) <= MOST:
        return []
    told = ', '.join(f'{use} {factor:.2g} (shorter side {side:.0f})' for use, (factor, side) in seen.items())
    return [
        f'Images are resized by different factors: {told}. A network labels and predicts best at the scale that it is '
        f"trained at: put the same dict(type='Resize', scale=..., keep_ratio=True) before LoadPseudoLabel and behind "
        'LoadImageFromFile of the labeled images, of val and of test; configs/custom/dmt_custom.py has it everywhere.'
    ]


def _spans(seen: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    factors, sides = np.array(list(seen.values())).T
    return float(factors.max() / factors.min()), float(sides.max() / sides.min())


def _spread(images: Sequence[ImageSource]) -> list[ImageSource]:
    """Take some images, evenly over the list."""
    places = np.linspace(0, len(images) - 1, _IMAGES).astype(int) if images else np.empty(0, int)
    return [images[place] for place in sorted({*places.tolist()})]


def _shape(source: ImageSource) -> tuple[int, int] | None:
    """Load the height and the width of an image; None of one that cannot be read, which is a problem of its own."""
    try:
        return source.load_image().shape[:2]
    except Exception:  # whatever a decoder raises
        return None


def _before_label(steps: Sequence[Any]) -> list[Any]:
    """Return what an image goes through to be labeled."""
    for place, step in enumerate(steps):
        if _name(step) in ('LoadPseudoLabel', 'LoadAnnotations'):
            return list(steps[:place])
    return list(steps)


def _factors(steps: Sequence[Any], shapes: Sequence[tuple[int, int]]) -> list[float]:
    """Return by how much each image is resized; nothing if the transforms ask for what a made-up image has not."""
    kept = [step for step in steps if not _name(step).startswith(('Load', 'Pack'))]
    try:
        with seeded(0):
            transforms = [TRANSFORMS.build(dict(step)) for step in kept]
            return [_middle([_factor(transforms, shape) for _ in range(_TRIES)]) for shape in shapes]
    except Exception:
        return []


def _factor(transforms: Sequence[Any], shape: tuple[int, int]) -> float:
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


def _middle(factors: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(factors))))


def _name(step: Any) -> str:
    """Return the name of a transform's class, however the config spells it."""
    kind = step['type']
    return kind.rpartition('.')[2] if isinstance(kind, str) else str(kind.__name__)
