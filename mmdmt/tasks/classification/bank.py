"""The bank of image labels: the whole softmax of every image, in one array.

A bank is one folder for one phase and labeler::

    scores.npy       float32 (images, classes): the labeler's softmax, in the order of the unlabeled dataset
    manifest.json    written last, by one process, with the checksum of the array: a bank without it is not complete

Which images are kept follows from the scores, the label ratio and the balance; it is found anew on reading.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmdmt.method.selection import most_confident
from mmdmt.pseudo_labels.manifest import REMEDY, Manifest, demand

SCORES = 'scores.npy'


@dataclass(frozen=True)
class ScoreManifest(Manifest):
    """What is in a bank of image labels and where it comes from.

    ``thresholds`` are the least confidences kept, ``totals`` and ``kept`` count images.

    Args:
        class_balanced: Whether the share is kept of every predicted class, or of all images.
        checksum: SHA-256 of ``scores.npy``.
    """

    class_balanced: bool = False
    checksum: str = ''
    max_classes: ClassVar[int] = 2**20

    def _check_fields(self) -> None:
        super()._check_fields()
        demand(isinstance(self.class_balanced, bool), 'class_balanced', self.class_balanced, 'true or false')
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
        path = folder / SCORES
        if not path.is_file():
            raise FileNotFoundError(f'The pseudo-label bank {folder} lacks {SCORES}: {REMEDY}.')
        if digest_of(path) != self.manifest.checksum:
            raise ValueError(f'{path} is not the file that {folder}/manifest.json describes: {REMEDY}.')
        try:
            self.scores: np.ndarray = np.load(path, mmap_mode='r', allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f'{path} is no array of scores ({error}): {REMEDY}.') from error
        shape = (self.manifest.images, len(self.manifest.thresholds))
        if self.scores.shape != shape or self.scores.dtype != np.float32:
            raise ValueError(
                f'{path} has shape {self.scores.shape}, {self.scores.dtype}, not {shape}, float32: {REMEDY}.'
            )

    def __len__(self) -> int:
        """Return the number of images, kept or not."""
        return self.manifest.images

    @cached_property
    def selected(self) -> np.ndarray:
        """Numbers of the images that are kept, int64, ascending."""
        return most_confident(self.scores, self.manifest.label_ratio, self.manifest.class_balanced)

    def read(self, image: int) -> tuple[int, float]:
        """Read the label of an image and the labeler's confidence in it.

        Args:
            image (int): Its number in the unlabeled dataset.
        """
        scores = self.scores[image]
        label = int(scores.argmax())
        return label, float(scores[label])

    def kept(self, image: int) -> np.ndarray:
        """Read the label of an image as an array of one; -1 if it is not kept."""
        position = int(np.searchsorted(self.selected, image))
        kept = position < self.selected.size and self.selected[position] == image
        return np.array([self.read(image)[0] if kept else -1])


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@lru_cache(maxsize=16)
def open_score_bank(folder: str) -> ScoreBank:
    """Open a bank once for each process; the least recently used is closed when there are many."""
    return ScoreBank(Path(folder))
