"""Check that the pipeline of evaluated images leaves what they show where it is, but for what is undone later."""

import copy
import pickle
import random
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import TestTimeAug
from numpy.typing import NDArray

from mmdmt.labels.pixels.geometry import paint_blocks
from mmdmt.rules.checked_pipeline import Transform
from mmdmt.rules.seeding import seeded

_FEW, _MANY = 3, 20
"""How often an image is pushed through a pipeline: through one that draws no random numbers, and one that does."""
_LEAST_RESEMBLANCE = 0.8
_LEAST_RESEMBLANCE_RESIZED = 0.6


def check_unmoved(name: str, transforms: Sequence[Transform], info: dict[str, Any]) -> None:
    """Push an image of random blocks through a test pipeline, and look whether the blocks stay where they are.

    Resizing, padding at the bottom and on the right, and flips that the results tell of are undone for predictions.
    Random numbers are afterwards what they were.

    Args:
        name (str): As the sentence names the dataset.
        transforms (Sequence[Callable]): Loading and packing included. What an image goes through in ``TestTimeAug`` is
            checked for each view. One that fails ends the check: the image itself will tell.
        info (dict): What the dataset knows of an image; left as it is.

    Raises:
        ValueError: If one of them turns, moves or cuts it, naming the transform.

    Examples:
        >>> turn = lambda results: {**results, 'img': np.rot90(results['img'])}
        >>> check_unmoved('the images', [lambda results: results, turn], dict(img=np.zeros((64, 64, 3), np.uint8)))
        Traceback (most recent call last):
        ...
        ValueError: function in the pipeline of the images turns, moves or cuts what an image shows, ...
    """
    for steps in _views(transforms):
        with seeded(0):
            begun = _random_state()
            for number in range(_MANY):
                if number == _FEW and _random_state() == begun:
                    break
                moved_by = _mover(steps, copy.deepcopy(info), np.random.default_rng(number))
                if moved_by is not None:
                    raise ValueError(
                        f'{type(moved_by).__name__} in the pipeline of {name} turns, moves or cuts what an image '
                        'shows, which is not undone for its prediction: take it out. Resize, Pad and RandomFlip are '
                        'undone.'
                    )


def _views(transforms: Sequence[Transform]) -> Iterator[list[Transform]]:
    """Yield what an image goes through: once, or for each view of test-time augmentation."""
    steps: list[Transform] = []
    for step in transforms:
        if isinstance(step, TestTimeAug):
            yield from ([*steps, *view.transforms] for view in step.subroutines)
            return
        steps.append(step)
    yield steps


def _mover(steps: Sequence[Transform], results: Any, generator: np.random.Generator) -> Transform | None:
    """Return the first transform that moves the image otherwise than is undone; None if there is none."""
    shown: NDArray[np.float32] | None = None
    original, flipped, moved_by = None, False, None
    for step in steps:
        try:
            results = step(results)
        except Exception:  # whatever a transform raises
            return None
        image = results.get('img') if isinstance(results, dict) else None
        if not isinstance(image, np.ndarray):
            break  # packed
        if shown is None:
            results['img'] = image = paint_blocks(image, _blocks(image.shape[:2], generator))
        elif results.get('ori_shape') != original and results['ori_shape'][:2] == image.shape[:2]:
            moved_by = None  # predictions are wanted as the image is now
        elif moved_by is None:
            if results.get('flip') and not flipped:
                shown = _flip(shown, results.get('flip_direction'))
            moved_by = None if _shows(_gray(image), shown) else step
        shown, original, flipped = _gray(image), results.get('ori_shape'), bool(results.get('flip'))
    return moved_by


def _blocks(size: tuple[int, int], generator: np.random.Generator) -> NDArray[np.bool_]:
    """Draw bright and dark blocks, small enough that those far from the center of a slight turn change places."""
    block = max(4, min(size) // 16)
    rows, columns = (-(-side // block) for side in size)
    bright = generator.integers(0, 2, (rows, columns))
    whole: NDArray[np.bool_] = np.kron(bright, np.ones((block, block), np.int64))[: size[0], : size[1]] == 1
    return whole


def _gray(image: NDArray[Any]) -> NDArray[np.float32]:
    return image.reshape(*image.shape[:2], -1).mean(axis=2, dtype=np.float32)


def _flip(image: NDArray[np.float32], direction: Any) -> NDArray[np.float32]:
    image = image[:, ::-1] if direction in ('horizontal', 'diagonal') else image
    return image[::-1] if direction in ('vertical', 'diagonal') else image


def _shows(image: NDArray[np.float32], before: NDArray[np.float32]) -> bool:
    """Whether an image is another one in whatever colors: as large, padded, or resized."""
    (height, width), (old_height, old_width) = image.shape, before.shape
    if height >= old_height and width >= old_width:
        if _resemblance(image[:old_height, :old_width], before) >= _LEAST_RESEMBLANCE:
            return True
        if (height, width) == (old_height, old_width):
            return False
    resized = cv2.resize(np.ascontiguousarray(before), (width, height), interpolation=cv2.INTER_LINEAR)
    return _resemblance(image, resized) >= _LEAST_RESEMBLANCE_RESIZED


def _resemblance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the correlation without its sign; 1 if there is nothing to see."""
    if min(one.std(), other.std()) < 1e-3 * max(1.0, abs(one).max()):
        return 1.0
    return abs(float(np.corrcoef(one.ravel(), other.ravel())[0, 1]))


def _random_state() -> bytes:
    return pickle.dumps((random.getstate(), np.random.get_state(), torch.random.get_rng_state().tolist()))
