"""Bring predictions back to the pixels of an image as they are stored in its file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import Pad
from numpy.typing import NDArray
from PIL import Image

ORIENTATION = 0x0112
"""EXIF tag that says how an image is turned when it is shown."""


def run_test_pipeline(transforms: Sequence[Any], results: dict[str, Any]) -> dict[str, Any]:
    """Run the transforms of a test pipeline, and note what padding is to be cut off a prediction.

    MMSegmentation resizes a prediction to the size of the loaded image, padding included; with ``padding_size`` in the
    meta of the sample it cuts the padding off first.

    Args:
        transforms (Sequence[Callable]): Packing included.
        results (dict): With ``img_path``.

    Returns:
        dict: The packed image.

    Raises:
        ValueError: If a transform changes the size in a way that cannot be undone.

    Examples:
        >>> from mmseg.datasets.transforms import PackSegInputs
        >>> image = dict(img=np.zeros((40, 60, 3), np.uint8), img_path='a.png')
        >>> steps = [lambda results: results, Pad(size=(64, 64)), PackSegInputs(meta_keys=())]
        >>> packed = run_test_pipeline(steps, image)
        >>> packed['data_samples'].padding_size  # left, right, top, bottom
        [0, 4, 0, 24]
    """
    content: tuple[int, int] | None = None  # height and width of what is not padding, in the upper left corner
    size: tuple[int, int] | None = None
    for transform in transforms:
        results = transform(results)
        image = results.get('img')
        if not isinstance(image, np.ndarray):
            continue
        before, size = size, image.shape[:2]
        if before is None or content is None:
            content = size
        elif isinstance(transform, Pad):
            continue
        elif size != before and _resizes(transform):
            height, width = (round(part * new / old) for part, new, old in zip(content, size, before, strict=True))
            content = height, width
        elif size != before:
            raise ValueError(
                f'{type(transform).__name__} of the test pipeline makes {size[0]}x{size[1]} (height x width) of '
                f'{results.get("img_path")}, which is {before[0]}x{before[1]}: only resizing and padding '
                'can be undone, so take it out.'
            )
        if content != size and results.get('flip'):
            raise ValueError(f'{type(transform).__name__} of the test pipeline flips padded images: take it out.')
    if content is None or content == size:
        return results
    assert size is not None
    results['data_samples'].set_metainfo({'padding_size': [0, size[1] - content[1], 0, size[0] - content[0]]})
    return results


def _resizes(transform: Any) -> bool:
    """Tell whether a transform changes the scale of an image alone, by the names that the toolboxes give such."""
    kinds = [kind.__name__ for kind in type(transform).__mro__]
    return any('Resize' in kind or 'Scale' in kind for kind in kinds)


def orientation_of(path: str | Path) -> int:
    """Return the EXIF orientation of an image file, 1 to 8; 1 if it says nothing.

    Examples:
        >>> import tempfile
        >>> exif = Image.Exif()
        >>> exif[ORIENTATION] = 6
        >>> with tempfile.NamedTemporaryFile(suffix='.jpg') as file:
        ...     Image.new('RGB', (60, 40)).save(file.name, exif=exif)
        ...     orientation_of(file.name)
        6
    """
    try:
        with Image.open(path) as image:
            orientation = int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a file that Pillow cannot read has none that others would apply
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def turned(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored pixels, (H, W) or (H, W, C), as an EXIF orientation says.

    Examples:
        >>> turned(np.array([[1, 2], [3, 4]]), 6).tolist()
        [[3, 1], [4, 2]]
    """
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def turned_back(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo :func:`turned`.

    Examples:
        >>> turned_back(np.array([[3, 1], [4, 2]]), 6).tolist()
        [[1, 2], [3, 4]]
    """
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return np.ascontiguousarray(turned(array, inverse))


def applied_orientation(path: str | Path, loader: Any) -> int:
    """Tell how an image is turned when it is loaded.

    Args:
        path (str | Path): The image.
        loader (Callable): The transform that loads it.

    Returns:
        int: Its EXIF orientation; 1 if the loader gives the stored pixels.

    Examples:
        >>> import tempfile
        >>> from mmcv.transforms import LoadImageFromFile
        >>> exif = Image.Exif()
        >>> exif[ORIENTATION] = 6
        >>> with tempfile.NamedTemporaryFile(suffix='.jpg') as file:
        ...     Image.linear_gradient('L').convert('RGB').resize((60, 40)).save(file.name, exif=exif)
        ...     applied_orientation(file.name, LoadImageFromFile())
        6
    """
    orientation = orientation_of(path)
    if orientation == 1:
        return 1
    loaded = loader({'img_path': str(path)})['img']
    stored = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        stored = np.asarray(Image.open(path))
    candidates = {1: stored, orientation: turned(stored, orientation)}
    differences = {
        key: float(abs(_gray(loaded) - _gray(one)).mean())
        for key, one in candidates.items()
        if one.shape[:2] == loaded.shape[:2]
    }
    return min(differences, key=lambda key: differences[key], default=1)


def _gray(image: NDArray[Any]) -> NDArray[np.float64]:
    """Average the colors, without transparency, to zero mean and unit spread."""
    flat = image.reshape(*image.shape[:2], -1)
    gray = flat[..., :3].mean(axis=2, dtype=np.float64) if flat.shape[2] == 4 else flat.mean(axis=2, dtype=np.float64)
    normal: NDArray[np.float64] = (gray - gray.mean()) / max(gray.std(), 1e-9)
    return normal
