"""Files of pseudo labels: masks, maps of confidence, overlays, and a journal of what is done."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.model import BaseModel
from numpy.typing import NDArray
from PIL import Image

from mmdmt.atomic_write import room_to_write
from mmdmt.rules.file_rules import turns
from mmdmt.rules.image_content import read_content

IGNORED = 255
FULL = 65535
OPACITY = 0.5


@dataclass
class LabelFiles:
    """Write what a model says of images, by their names: labels, confidence, maps and overlays, a file each.

    Masks store ``first`` for the first class and ``dropped`` where there is no label, as the model's data set does.
    ``colors`` of classes, (classes, 3) BGR, are for overlays; ``loader`` is the transform that loads images.
    """

    folder: Path
    images: Mapping[str, Path]
    loader: Any
    first: int
    dropped: int
    colors: NDArray[np.uint8] | None

    def write(
        self, name: str, labels: NDArray[np.uint8], confidence: NDArray[np.float32], thresholds: NDArray[np.float32]
    ) -> list[list[int]]:
        """Write what reaches the threshold of its class; return the pixels of each class, predicted and kept."""
        classes = len(thresholds)
        predicted = np.bincount(labels.ravel(), minlength=256)[:classes].tolist()
        least = np.append(thresholds, np.full(256 - classes, np.inf, np.float32))
        labels[confidence < least[labels]] = IGNORED
        stored = np.where(labels == IGNORED, self.dropped, labels + np.uint8(self.first)).astype(np.uint8)
        self._save('labels', name, stored)
        self._save('confidence', name, (confidence * np.float32(FULL)).round().astype(np.uint16))
        if self.colors is not None:
            path = self.folder / 'overlays' / f'{name}.jpg'
            _write_overlay(path, self.images[name], labels, self.loader, self.colors)
        return [predicted, np.bincount(labels.ravel(), minlength=256)[:classes].tolist()]

    def write_map(self, folder: str, name: str, values: NDArray[np.float32] | None) -> None:
        """Write a map of values in [0, 1] of an image, if there is one, in 8 bits."""
        if values is not None:
            values = as_stored(values, self.images[name], self.loader)
            self._save(folder, name, (values * np.float32(255)).round().astype(np.uint8))

    def _save(self, folder: str, name: str, picture: NDArray[Any]) -> None:
        path = self.folder / folder / f'{name}.png'
        with room_to_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)

    @property
    def journal(self) -> Path:
        """What has been labeled with one threshold, a line an image; the first line says by what."""
        return self.folder / 'labeled.jsonl'

    def read_journal(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the pixels of each image that is labeled, or refuse those that were labeled otherwise."""
        if not self.journal.is_file():
            return {}
        first, *entries = [json.loads(line) for line in self.journal.read_text(encoding='utf-8').splitlines() if line]
        if first != settings:
            raise ValueError(f'{self.folder} was labeled by {first}, not by {settings}: give another folder.')
        return {name: counts for name, *counts in entries}

    def note(self, settings: Mapping[str, Any], entry: list[Any]) -> None:
        """Add an image."""
        with room_to_write(self.journal), self.journal.open('a', encoding='utf-8') as file:
            file.writelines(f'{json.dumps(line)}\n' for line in ([] if file.tell() else [settings]) + [entry])


def colors_of(model: BaseModel) -> NDArray[np.uint8]:
    """Return the color of each class, (classes, 3) BGR, or refuse a model that names none."""
    palette = np.array(model.dataset_meta.get('palette') or (), np.uint8)
    classes = len(model.dataset_meta['classes'])
    if palette.shape != (classes, 3):
        raise ValueError(
            f'Overlays need a color for each of the {classes} classes, and the checkpoint names {len(palette)}: '
            'label without --draw, or give metainfo of the datasets a palette=[[R, G, B], ...] and train anew.'
        )
    return palette[:, ::-1]


def _write_overlay(path: Path, image: Path, labels: NDArray[np.uint8], loader: Any, colors: NDArray[np.uint8]) -> None:
    """Write an image with its labels in color over it as JPEG, as large as the labels."""
    # Imported here, because labels without pictures need no matplotlib.
    from mmdmt.visualization.visible_image import visible

    shown = visible(as_stored(loader({'img_path': str(image)})['img'], image, loader))  # as the labels lie
    if shown.shape[:2] != labels.shape:
        shown = np.asarray(cv2.resize(shown, labels.shape[::-1]), np.uint8)
    known, drawn = labels < len(colors), shown.copy()
    drawn[known] = (OPACITY * colors[labels[known]] + (1 - OPACITY) * shown[known]).round().astype(np.uint8)
    content = cv2.imencode('.jpg', drawn, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    with room_to_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())


def as_stored(array: NDArray[Any], path: Path, loader: Any) -> NDArray[Any]:
    """Turn what lies on a loaded image, (H, W) or (H, W, C), back to the pixels as they are stored in its file."""
    content = read_content(path.read_bytes()) if turns(loader) else None
    orientation = 1 if content is None else {6: 8, 8: 6}.get(content.orientation, content.orientation)
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
