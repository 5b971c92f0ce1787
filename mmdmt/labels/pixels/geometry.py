"""Check that a pipeline moves an image, its label and the confidence of the label alike."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdmt.rules.checked_pipeline import Transform

STAND_INS = 100, 108
"""The first stand-in for a class and what follows the last; no data set has them, so that padding with one is seen."""
_SIZES = {(60, 80): 8, (24, 28): 3, (300, 420): 2}
_LEAST_RESEMBLANCE = 0.3


class TransformError(ValueError):
    """A transform fails on what it is given."""


@dataclass(frozen=True)
class KnownLabel:
    """A label of which it is known where each part belongs: blocks, each with a confidence of its own.

    Args:
        label: uint8 (H, W), stand-ins for classes.
        confidence: float32 (H, W) in (0, 1); its value tells the block.
        of_block: uint8 (blocks,); the label of each.
    """

    label: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    of_block: NDArray[np.uint8]

    @classmethod
    def draw(cls, size: tuple[int, int], ignore_index: int, generator: np.random.Generator) -> 'KnownLabel':
        """Draw one."""
        block = max(4, min(size) // 8)
        rows, columns = (-(-side // block) for side in size)
        ids = np.array([one for one in range(*STAND_INS) if one != ignore_index], np.uint8)
        of_block = generator.choice(ids, rows * columns)
        whole = np.ones((block, block), np.int64)
        number = np.kron(np.arange(rows * columns).reshape(rows, columns), whole)[: size[0], : size[1]]
        confidence = ((number + 1) / (rows * columns + 1)).astype(np.float32)
        return cls(of_block[number], confidence, of_block)

    def fault(self, label: Any, confidence: Any, ignore_index: int) -> str:
        """Say what is wrong with the pair after transforms; '' if nothing is.

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


def paint_blocks(image: NDArray[Any], bright: NDArray[np.bool_]) -> NDArray[Any]:
    """Return an image of the same shape and type that is bright in some pixels, (H, W), and dark in the others."""
    whole = np.iinfo(image.dtype).max if np.issubdtype(image.dtype, np.integer) else max(float(image.max()), 1.0)
    painted = np.where(bright, 0.8 * whole, 0.2 * whole).astype(image.dtype)
    return np.ascontiguousarray(np.broadcast_to(painted.reshape(*painted.shape, *[1] * (image.ndim - 2)), image.shape))


def check_moves_alike(transforms: Sequence[Transform], ignore_index: int = 255) -> None:
    """Push a known label and a known confidence through the transforms of pseudo-labeled images.

    After each of them every label must still have its own confidence, and what padding has added must be ignored.
    Several transforms of the toolboxes (``Pad``, ``CenterCrop``) move ``gt_seg_map`` alone. The label may be padded at
    the bottom and on the right, as long as nothing moves it afterwards.

    Args:
        transforms (Sequence[Callable]): What follows the loading of a pseudo label, packing excluded. One that cannot
            work on a made-up image ends the check of its size.
        ignore_index (int): The label that does not count. Defaults to 255.

    Raises:
        ValueError: If one of them breaks the pair, naming it.
    """
    generator = np.random.default_rng(0)
    for size, tries in _SIZES.items():
        image = generator.integers(0, 256, (*size, 3)).astype(np.uint8)
        made_up = {'img': image, 'img_path': 'a made-up image', 'img_shape': size, 'ori_shape': size}
        for _ in range(tries):
            try:
                push_pseudo_label(transforms, made_up, ignore_index, generator)
            except TransformError:  # it asks for what a made-up image has not
                break


def push_pseudo_label(
    transforms: Sequence[Transform],
    loaded: dict[str, Any],
    ignore_index: int,
    generator: np.random.Generator,
    paint: bool = False,
) -> dict[str, Any]:
    """Push a known label with a known confidence through the transforms that follow the loading of a pseudo label.

    Args:
        transforms (Sequence[Callable]): Packing excluded.
        loaded (dict): What the pipeline knows of an image before its label is loaded; left as it is.
        ignore_index (int): The label that does not count.
        generator (np.random.Generator): Draws the label.
        paint (bool): Whether the image shows the label, and must be moved with it. Defaults to False.

    Raises:
        ValueError: If label and confidence, or label and image, do not come out together, naming the transform.
    """
    known = KnownLabel.draw(loaded['img'].shape[:2], ignore_index, generator)
    results: dict[str, Any] = {
        'pseudo_label': ('a made-up bank', 0),
        **copy.deepcopy(loaded),
        'gt_seg_map': known.label.copy(),
        'pseudo_confidence': known.confidence.copy(),
        'seg_fields': [*loaded.get('seg_fields', ()), 'gt_seg_map', 'pseudo_confidence'],
    }
    if paint:
        results['img'] = paint_blocks(results['img'], known.label % 2 == 1)
    apart: Transform | None = None  # the first that has given label and confidence other sizes
    for transform in transforms:
        results = _step(transform, results)
        label, confidence = results.get('gt_seg_map'), results.get('pseudo_confidence')
        if apart is None and getattr(label, 'shape', None) != getattr(confidence, 'shape', None):
            apart = transform
        if fault := known.fault(label, confidence, ignore_index):
            raise ValueError(
                f'{type(apart or transform).__name__} in the pipeline of the unlabeled dataset {fault}: put it before '
                'mmdmt.LoadPseudoLabel if it is not random, take a transform that moves all seg_fields, or leave '
                'padding to the data_preprocessor (size=...).'
            )
        if paint:
            _check_image(transform, results, 'unlabeled')
    return results


def push_mask(
    transforms: Sequence[Transform], loaded: dict[str, Any], ignore_index: int, generator: np.random.Generator
) -> None:
    """Push an image that shows its known mask through the transforms that follow the loading of annotations.

    Raises:
        ValueError: If the image is moved and the mask is not, or the other way round, naming the transform.
    """
    results = copy.deepcopy(loaded)
    known = KnownLabel.draw(results['img'].shape[:2], ignore_index, generator)
    results['gt_seg_map'], results['img'] = known.label.copy(), paint_blocks(results['img'], known.label % 2 == 1)
    for transform in transforms:
        results = _step(transform, results)
        _check_image(transform, results, 'labeled')


def _step(transform: Transform, results: dict[str, Any]) -> dict[str, Any]:
    try:
        changed = transform(results)
    except Exception as error:
        reason = f'{type(error).__name__}: {" ".join(str(error).split())}'
        raise TransformError(
            f'{type(transform).__name__} fails on {results.get("img_path")} ({reason}): mend it, or take it out.'
        ) from error
    if not isinstance(changed, dict):
        raise TransformError(
            f'{type(transform).__name__} gives {type(changed).__name__} for {results.get("img_path")}: it must return '
            'the results.'
        )
    return changed


def _check_image(transform: Transform, results: dict[str, Any], part: str) -> None:
    """Check that a painted image still shows its label, in whatever colors."""
    image, label = results.get('img'), results.get('gt_seg_map')
    if not isinstance(image, np.ndarray) or not isinstance(label, np.ndarray):
        return
    name = f'{type(transform).__name__} in the pipeline of the {part} dataset'
    if image.shape[:2] != label.shape[:2]:
        raise ValueError(
            f'{name} leaves an image of {image.shape[0]}x{image.shape[1]} (height x width) with a label of '
            f'{label.shape[0]}x{label.shape[1]}: take a transform that moves gt_seg_map as it moves the image.'
        )
    known = (label >= STAND_INS[0]) & (label < STAND_INS[1])
    odd = label[known] % 2
    gray = image.reshape(*image.shape[:2], -1).mean(axis=2, dtype=np.float64)[known]
    if known.mean() < 0.2 or not 0.1 < odd.mean() < 0.9 or gray.std() < 1e-3 * max(1.0, abs(gray).max()):
        return  # too little is left to see
    if abs(np.corrcoef(gray, odd)[0, 1]) < _LEAST_RESEMBLANCE:
        raise ValueError(
            f'{name} moves the image but not its label, or the label but not the image: take a transform that moves '
            'gt_seg_map as it moves the image.'
        )
