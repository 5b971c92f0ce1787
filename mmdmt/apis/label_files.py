"""Files of pseudo labels: masks, maps of confidence and overlays, on the pixels as images are stored."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.model import BaseModel
from numpy.typing import NDArray
from PIL import Image

from mmdmt.atomic_write import atomic_write
from mmdmt.rules.file_rules import turns
from mmdmt.rules.image_content import read_content

OPACITY = 0.5
REMEDY = 'make room and go on with --continue'


@dataclass
class LabelFiles:
    """Maps of images by their names, a folder for each kind; ``loader`` is the transform that loads the images."""

    folder: Path
    images: Mapping[str, Path]
    loader: Any

    def path(self, kind: str, name: str, suffix: str = '.png') -> Path:
        """Return the file of an image."""
        return self.folder / kind / f'{name}{suffix}'

    def read(self, kind: str, name: str) -> NDArray[Any]:
        """Read a map that has been written."""
        with Image.open(self.path(kind, name)) as opened:
            return np.array(opened)

    def write(self, kind: str, name: str, values: NDArray[Any]) -> None:
        """Write a map, uint8 or uint16, (H, W), as PNG."""
        content = io.BytesIO()
        Image.fromarray(values).save(content, 'PNG')
        self.put(kind, name, content.getvalue(), '.png')

    def put(self, kind: str, name: str, content: bytes, suffix: str = '') -> None:
        """Write a file of an image, whole or not at all."""
        path = self.path(kind, name, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, REMEDY) as unfinished:
            unfinished.write_bytes(content)

    def write_overlay(self, name: str, labels: NDArray[np.uint8], colors: NDArray[np.uint8]) -> None:
        """Write an image with its labels in color over it, as large as these; colors are (classes, 3), RGB."""
        # Imported here, because labels without pictures need no matplotlib.
        from mmdmt.visualization import visible

        image = self.loader({'img_path': str(self.images[name])})['img']
        shown = visible(self.as_stored(image, name))[..., ::-1]
        if shown.shape[:2] != labels.shape:
            shown = np.asarray(cv2.resize(shown, labels.shape[::-1]), np.uint8)
        known, drawn = labels < len(colors), shown.copy()
        drawn[known] = (OPACITY * colors[labels[known]] + (1 - OPACITY) * shown[known]).round().astype(np.uint8)
        content = cv2.imencode('.jpg', drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        self.put('overlays', name, content.tobytes(), '.jpg')

    def as_stored(self, values: NDArray[Any], name: str) -> NDArray[Any]:
        """Turn what lies on a loaded image, (H, W) or (H, W, C), back to the pixels as they are stored in its file."""
        content = read_content(self.images[name].read_bytes()) if turns(self.loader) else None
        orientation = 1 if content is None else {6: 8, 8: 6}.get(content.orientation, content.orientation)
        if orientation in (5, 6, 7, 8):
            values = values.swapaxes(0, 1)
        if orientation in (3, 4, 7, 8):
            values = values[::-1]
        if orientation in (2, 3, 6, 7):
            values = values[:, ::-1]
        return np.ascontiguousarray(values)


def colors_of(model: BaseModel) -> NDArray[np.uint8]:
    """Return the color of each class, (classes, 3) RGB, or refuse a model that names none."""
    palette = np.array(model.dataset_meta.get('palette') or (), np.uint8)
    classes = len(model.dataset_meta['classes'])
    if palette.shape != (classes, 3):
        raise ValueError(
            f'Overlays need a color for each of the {classes} classes, and the checkpoint names {len(palette)}: '
            'label without --draw, or give metainfo of the datasets a palette=[[R, G, B], ...] and train anew.'
        )
    return palette
