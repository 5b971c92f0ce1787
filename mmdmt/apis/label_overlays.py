"""Draw labels over the images that they are of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.model import BaseModel
from mmengine.registry import TRANSFORMS
from numpy.typing import NDArray

from mmdmt.apis.inference import inference_pipeline
from mmdmt.atomic_write import room_to_write
from mmdmt.rules.file_rules import turns
from mmdmt.rules.image_content import read_content

OPACITY = 0.5


class Overlays:
    """Write each image with its labels in color over it.

    Args:
        model (BaseModel): With ``cfg``, whose test pipeline loads images, and ``dataset_meta`` with a palette.
        folder (Path): To write to.
        images (Mapping[str, Path]): The image of each name.

    Raises:
        ValueError: If the model names no colors.

    Example:
        >>> from types import SimpleNamespace
        >>> from mmengine.config import Config
        >>> model = SimpleNamespace(cfg=Config(), dataset_meta={'classes': ['a', 'b'], 'palette': [[0, 0, 0]]})
        >>> Overlays(model, Path('overlays'), {})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        ValueError: Overlays need a color for each of the 2 classes, and the checkpoint names 1: label ...
    """

    def __init__(self, model: BaseModel, folder: Path, images: Mapping[str, Path]) -> None:
        palette = np.array(model.dataset_meta.get('palette') or (), np.uint8)
        classes = len(model.dataset_meta['classes'])
        if palette.shape != (classes, 3):
            raise ValueError(
                f'Overlays need a color for each of the {classes} classes, and the checkpoint names {len(palette)}: '
                'label without --draw, or give metainfo of the datasets a palette=[[R, G, B], ...] and train anew.'
            )
        self._colors = palette[:, ::-1]  # BGR
        self._folder, self._images = folder, images
        self._load = TRANSFORMS.build(dict(inference_pipeline(model.cfg)[0]))

    def write(self, name: str, labels: NDArray[np.uint8]) -> None:
        """Write one overlay, as large as the labels.

        Args:
            name (str): Of the image.
            labels (np.ndarray): (H, W) uint8; what is not a class leaves the image as it is.
        """
        # Imported here, because labels without pictures need no matplotlib.
        from mmdmt.visualization.visible_image import visible

        path = self._images[name]
        loaded = self._load({'img_path': str(path)})['img']
        image = visible(as_stored(loaded, path, self._load))  # as the labels lie
        if image.shape[:2] != labels.shape:
            image = np.asarray(cv2.resize(image, labels.shape[::-1]), np.uint8)
        known = labels < len(self._colors)
        drawn = image.copy()
        drawn[known] = (OPACITY * self._colors[labels[known]] + (1 - OPACITY) * image[known]).round().astype(np.uint8)
        path = self._folder / f'{name}.jpg'
        content = cv2.imencode('.jpg', drawn, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        with room_to_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.tobytes())


def as_stored(array: NDArray[Any], path: str | Path, loader: Any) -> NDArray[Any]:
    """Turn what lies on a loaded image, (H, W) or (H, W, C), back to the pixels as they are stored in its file.

    Args:
        array (np.ndarray): It.
        path (str | Path): The file, whose EXIF orientation may say how the image is turned.
        loader (Callable): The transform that has loaded it.
    """
    content = read_content(Path(path).read_bytes()) if turns(loader) else None
    orientation = 1 if content is None else {6: 8, 8: 6}.get(content.orientation, content.orientation)
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
