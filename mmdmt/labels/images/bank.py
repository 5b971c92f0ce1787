"""Store image labels in a bank: the whole softmax of every image, in one array.

A bank is one folder for one phase and labeler::

    scores.npy       float32 (images, classes): the labeler's softmax, in the order of the unlabeled dataset
    selected.npy     int64, ascending: numbers of the images that are kept
    manifest.json    written last, by one process, with the checksum of both: a bank without it is not complete
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmdmt.labels.manifest import REMEDY, Manifest, demand

SCORES, SELECTED = 'scores.npy', 'selected.npy'


@dataclass(frozen=True)
class ScoreManifest(Manifest):
    """Contents and origin of a bank of image labels.

    ``thresholds`` are the least confidences kept, ``totals`` and ``kept`` count images.

    Args:
        checksum: SHA-256 of ``scores.npy`` and ``selected.npy``, one after the other.
    """

    checksum: str = ''
    max_classes: ClassVar[int] = 2**20

    def _check_fields(self) -> None:
        super()._check_fields()
        demand(isinstance(self.checksum, str), 'checksum', self.checksum, 'a string')


class ScoreBank:
    """Read a complete bank of image labels.

    Args:
        folder (Path): Of the bank.

    Raises:
        FileNotFoundError: If the bank is not complete.
        ValueError: If its files are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = ScoreManifest.read(folder)
        paths = [folder / SCORES, folder / SELECTED]
        for path in paths:
            if not path.is_file():
                raise FileNotFoundError(f'The pseudo-label bank {folder} lacks {path.name}: {REMEDY}.')
        if digest_of(*paths) != self.manifest.checksum:
            raise ValueError(f'{paths[0]} and {paths[1].name} are not those of {folder}/manifest.json: {REMEDY}.')
        try:
            arrays = [np.load(path, mmap_mode='r', allow_pickle=False) for path in paths]
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f'{folder} holds no arrays of scores and images ({error}): {REMEDY}.') from error
        self.scores: np.ndarray = arrays[0]
        self.selected: np.ndarray = arrays[1]
        """Numbers of the images that are kept, int64, ascending."""
        shape = (self.manifest.images, len(self.manifest.thresholds))
        if self.scores.shape != shape or self.scores.dtype != np.float32:
            raise ValueError(
                f'{paths[0]} has shape {self.scores.shape}, {self.scores.dtype}, not {shape}, float32: {REMEDY}.'
            )
        if self.selected.dtype != np.int64 or self.selected.ndim != 1 or not _ascend(self.selected, len(self)):
            raise ValueError(f'{paths[1]} holds no ascending numbers of {len(self)} images: {REMEDY}.')

    def __len__(self) -> int:
        """Return the number of images, kept or not."""
        return self.manifest.images

    def read(self, image: int) -> tuple[int, float]:
        """Read the label of an image and the labeler's confidence in it.

        Args:
            image (int): Its number in the unlabeled dataset.
        """
        scores = self.scores[image]
        label = int(scores.argmax())
        return label, float(scores[label])

    def unfiltered(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the label of an image and the confidence in it as maps of one pixel, (1, 1)."""
        label, confidence = self.read(image)
        return np.array([[label]]), np.array([[confidence]], np.float32)

    def kept(self, image: int) -> np.ndarray:
        """Read the label of an image as an array of one; -1 if it is not kept."""
        position = int(np.searchsorted(self.selected, image))
        kept = position < self.selected.size and self.selected[position] == image
        return np.array([self.read(image)[0] if kept else -1])


def digest_of(*paths: Path) -> str:
    """Return the SHA-256 of files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open('rb') as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _ascend(numbers: np.ndarray, images: int) -> bool:
    return not numbers.size or bool((np.diff(numbers) > 0).all() and numbers[0] >= 0 and numbers[-1] < images)


@lru_cache(maxsize=16)
def open_score_bank(folder: str) -> ScoreBank:
    """Open a bank once for each process; the least recently used is closed when there are many."""
    return ScoreBank(Path(folder))
