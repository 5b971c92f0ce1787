"""Bring predictions back to the pixels of an image as they are stored in its file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdmt.labels.pixels.stored_size import StoredSize

ORIENTATION = 0x0112
"""EXIF tag that says how an image is turned when it is shown."""


def run_test_pipeline(transforms: Sequence[Any], results: dict[str, Any]) -> dict[str, Any]:
    """Run the transforms of a test pipeline, and note what padding is to be cut off a prediction.

    Args:
        transforms (Sequence[Callable]): Packing included.
        results (dict): With ``img_path``.

    Returns:
        dict: The packed image.

    Raises:
        ValueError: If a transform changes the size in a way that cannot be undone.

    Examples:
        >>> from mmcv.transforms import Pad
        >>> from mmseg.datasets.transforms import PackSegInputs
        >>> image = dict(img=np.zeros((40, 60, 3), np.uint8), img_path='a.png')
        >>> steps = [lambda results: results, Pad(size=(64, 64)), PackSegInputs(meta_keys=())]
        >>> packed = run_test_pipeline(steps, image)
        >>> packed['data_samples'].padding_size  # left, right, top, bottom
        [0, 4, 0, 24]
    """
    follower = StoredSize()
    for transform in transforms:
        results = transform(results)
        follower.see(transform, results)
    follower.note(results)
    return results


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
