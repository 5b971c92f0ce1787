"""Check that a pipeline moves a pseudo label and its confidence alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdmt.tasks.task import Transform

# Stand-ins for classes, so that a class in the padding is seen.
_KNOWN = np.arange(100, 108, dtype=np.uint8)
_SIZE, _BLOCK = (60, 80), 10


def check_moves_alike(transforms: Sequence[Transform], ignore_index: int = 255, tries: int = 8) -> None:
    """Push a known label and a known confidence through the transforms of pseudo-labeled images.

    After each of them every label must still have its own confidence, and what padding has added must be ignored.
    Several transforms of the toolboxes (``Pad``, ``CenterCrop``) move ``gt_seg_map`` alone. The label may be padded at
    the bottom and on the right, as long as nothing moves it afterwards.

    Args:
        transforms (Sequence[Callable]): What follows the loading of a pseudo label, packing excluded. One that cannot
            work on a made-up image ends the check.
        ignore_index (int): The label that does not count. Defaults to 255.
        tries (int): How often, as transforms are random. Defaults to 8.

    Raises:
        ValueError: If one of them breaks the pair, naming it.
    """
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (*_SIZE, 3)).astype(np.uint8)
    blocks = generator.choice(_KNOWN, (_SIZE[0] // _BLOCK, _SIZE[1] // _BLOCK))
    label = np.kron(blocks, np.ones((_BLOCK, _BLOCK), np.uint8))
    for _ in range(tries):
        results: Any = {
            'img': image.copy(),
            'img_path': 'a made-up image',
            'img_shape': _SIZE,
            'ori_shape': _SIZE,
            'gt_seg_map': label.copy(),
            'pseudo_confidence': _confidence(label),
            'seg_fields': ['gt_seg_map', 'pseudo_confidence'],
        }
        apart: Transform | None = None  # the first that has given label and confidence other sizes
        for transform in transforms:
            try:
                results = transform(results)
            except Exception:  # it asks for what a made-up image has not
                return
            if not isinstance(results, dict):
                return
            shapes = [getattr(results.get(key), 'shape', None) for key in ('gt_seg_map', 'pseudo_confidence')]
            if apart is None and shapes[0] != shapes[1]:
                apart = transform
            if fault := _fault(results, ignore_index):
                name = type(apart or transform).__name__
                raise ValueError(
                    f'{name} in the pipeline of the unlabeled dataset {fault}: put it before mmdmt.LoadPseudoLabel if '
                    'it is not random, take a transform that moves all seg_fields, or leave '
                    'padding to the data_preprocessor (size=...).'
                )


def _confidence(label: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give every known label a confidence of its own."""
    confidence: NDArray[np.float32] = (label.astype(np.float32) - _KNOWN[0] + 1) / 16
    return confidence


def _fault(results: dict[str, Any], ignore_index: int) -> str:
    label, confidence = results.get('gt_seg_map'), results.get('pseudo_confidence')
    if label is None or confidence is None:
        return 'drops the pseudo label or its confidence'
    height, width = confidence.shape
    inside = label[:height, :width]
    if inside.shape != confidence.shape or (label[height:] != ignore_index).any():
        return 'changes the size of a pseudo label but not of its confidence'
    if (label[:, width:] != ignore_index).any():
        return 'changes the size of a pseudo label but not of its confidence'
    label, known = inside, np.isin(inside, _KNOWN)
    if (label[~known] != ignore_index).any():
        strange = label[~known & (label != ignore_index)].flat[0]
        return f'fills in label {strange}, where {ignore_index} is ignored'
    if not np.array_equal(confidence[known], _confidence(label)[known]):
        return 'moves a pseudo label but not its confidence'
    return ''
