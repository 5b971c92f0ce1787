"""Check that a pipeline moves a pseudo label and its confidence alike."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdmt.rules.checked_pipeline import CheckedPipeline, Transform

STAND_INS = 100, 108
"""The first stand-in for a class and what follows the last; no data set has them, so that padding with one is seen."""
_SIZES = {(60, 80): 8, (24, 28): 3, (300, 420): 2}


class MovedApartError(ValueError):
    """A transform breaks the pair of a label and its confidence."""


@dataclass(frozen=True)
class KnownLabel:
    """A label of which it is known where each part belongs: blocks, each with a confidence of its own."""

    label: NDArray[np.uint8]  # (H, W), stand-ins for classes
    confidence: NDArray[np.float32]  # (H, W) in (0, 1); its value tells the block
    of_block: NDArray[np.uint8]  # (blocks,); the label of each

    @classmethod
    def draw(cls, size: tuple[int, int], ignore_index: int, generator: np.random.Generator) -> 'KnownLabel':
        """Draw blocks of labels for an image of a size, (H, W)."""
        block = max(4, min(size) // 8)
        rows, columns = (-(-side // block) for side in size)
        ids = np.array([one for one in range(*STAND_INS) if one != ignore_index], np.uint8)
        of_block = generator.choice(ids, rows * columns)
        whole = np.ones((block, block), np.int64)
        number = np.kron(np.arange(rows * columns).reshape(rows, columns), whole)[: size[0], : size[1]]
        confidence = ((number + 1) / (rows * columns + 1)).astype(np.float32)
        return cls(of_block[number], confidence, of_block)

    def fault(self, label: Any, confidence: Any, ignore_index: int) -> str:
        """Return what is wrong with the pair after transforms, '' if nothing is.

        The label may be padded at the bottom and on the right, where it has no confidence but must be ignored.
        """
        if label is None or confidence is None:
            return 'drops the pseudo label or its confidence'
        height, width = confidence.shape
        inside = label[:height, :width]
        outside_counts = (label[height:] != ignore_index).any() or (label[:, width:] != ignore_index).any()
        if inside.shape != confidence.shape or outside_counts:
            return 'changes the size of a pseudo label but not of its confidence'
        counted = inside != ignore_index
        strange = counted & ~np.isin(inside, self.of_block)
        position = confidence.astype(np.float64) * (len(self.of_block) + 1) - 1
        block = np.rint(position).clip(0, len(self.of_block) - 1).astype(np.int64)
        told = abs(position - block) < 0.01
        if strange.any():
            return f'fills in label {inside[strange].flat[0]}, where {ignore_index} is ignored'
        if (counted & ~(told & (self.of_block[block] == inside))).any():
            return 'moves a pseudo label but not its confidence'
        return ''


def check_moves_alike(transforms: Sequence[Transform], ignore_index: int = 255) -> None:
    """Push known labels of made-up images of several sizes through what follows the loading of a label, but packing.

    A transform that cannot work on a made-up image ends the check of its size.

    Raises:
        MovedApartError: If one of them breaks the pair, naming it.
    """
    generator = np.random.default_rng(0)
    for size, tries in _SIZES.items():
        image = generator.integers(0, 256, (*size, 3)).astype(np.uint8)
        made_up = {'img': image, 'img_path': 'a made-up image', 'img_shape': size, 'ori_shape': size}
        for _ in range(tries):
            try:
                push_pseudo_label(transforms, made_up, ignore_index, generator)
            except MovedApartError:
                raise
            except Exception:  # it asks for what a made-up image has not
                break


def push_pseudo_label(
    transforms: Sequence[Transform], loaded: dict[str, Any], ignore_index: int, generator: np.random.Generator
) -> dict[str, Any]:
    """Push a known label through the transforms that follow the loading of a pseudo label, but packing.

    After each of them every label must still have its own confidence, and what padding has added must be ignored.
    Several transforms of the toolboxes (``Pad``, ``CenterCrop``) move ``gt_seg_map`` alone.

    Raises:
        MovedApartError: If label and confidence do not come out together, naming the transform.
    """
    known = KnownLabel.draw(loaded['img'].shape[:2], ignore_index, generator)
    results: dict[str, Any] = {
        'pseudo_label': ('a made-up bank', 0),
        **copy.deepcopy(loaded),
        'gt_seg_map': known.label.copy(),
        'pseudo_confidence': known.confidence.copy(),
        'seg_fields': [*loaded.get('seg_fields', ()), 'gt_seg_map', 'pseudo_confidence'],
    }
    apart: Transform | None = None  # the first that has given label and confidence other sizes
    for transform in transforms:
        results = CheckedPipeline([transform])(results) or {}
        label, confidence = results.get('gt_seg_map'), results.get('pseudo_confidence')
        if apart is None and getattr(label, 'shape', None) != getattr(confidence, 'shape', None):
            apart = transform
        if fault := known.fault(label, confidence, ignore_index):
            raise MovedApartError(
                f'{type(apart or transform).__name__} in the pipeline of the unlabeled dataset {fault}: put it before '
                'mmdmt.LoadPseudoLabel if it is not random, take a transform that moves all seg_fields, or leave '
                'padding to the data_preprocessor (size=...).'
            )
    return results
