"""Store image labels in a bank: the whole softmax of every image, in one array.

A bank is one folder for one phase and labeler::

    scores.npy       float32 (images, classes): the labeler's softmax, in the order of the unlabeled dataset
    selected.npy     int64, ascending: numbers of the images that are kept
    manifest.json    written last, by one process, with the checksum of both: a bank without it is not complete
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import barrier, broadcast_object_list, get_dist_info, is_main_process
from torch import Tensor

from mmdmt.atomic_write import room_to_write
from mmdmt.labels.manifest import REMEDY, ROOM, Manifest
from mmdmt.method.thresholds import most_confident

SCORES, SELECTED = 'scores.npy', 'selected.npy'


@dataclass(frozen=True)
class ScoreManifest(Manifest):
    """Contents and origin of a bank of image labels; ``totals`` and ``kept`` count images.

    Args:
        checksum: SHA-256 of ``scores.npy`` and ``selected.npy``, one after the other.
    """

    checksum: str = ''


class ScoreBank:
    """Read a complete bank of image labels.

    Args:
        folder (Path): Of the bank.

    Attributes:
        scores: float32 (images, classes).
        selected: int64, ascending; numbers of the images that are kept.

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
        if _digest(*paths) != self.manifest.checksum:
            raise ValueError(f'{paths[0]} and {paths[1].name} are not those of {folder}/manifest.json: {REMEDY}.')
        self.scores, self.selected = (np.load(path, mmap_mode='r', allow_pickle=False) for path in paths)

    def __len__(self) -> int:
        """Return the number of images, kept or not."""
        return self.manifest.images

    def read(self, image: int) -> tuple[int, float]:
        """Read the label of an image, by its number in the unlabeled dataset, and the labeler's confidence in it."""
        scores = self.scores[image]
        label = int(scores.argmax())
        return label, float(scores[label])

    def unfiltered(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the label of an image and the confidence in it as maps of one pixel, (1, 1)."""
        label, confidence = self.read(image)
        return np.array([[label]]), np.array([[confidence]], np.float32)

    def kept(self, image: int) -> np.ndarray:
        """Read the label of an image as an array of one; -1 if it is not kept."""
        return np.array([self.read(image)[0] if image in self.selected else -1])


@lru_cache(maxsize=16)
def open_score_bank(folder: str) -> ScoreBank:
    """Open a bank once for each process; the least recently used is closed when there are many."""
    return ScoreBank(Path(folder))


class ImageRecorder:
    """Write what a classifier predicts into a :class:`ScoreBank`, a :class:`~mmdmt.labels.labeling.Recorder`."""

    def __init__(self, folder: Path, num_images: int, num_classes: int) -> None:
        self.folder = folder
        self._rank, self._shards = get_dist_info()
        self._scores = np.zeros((num_images, num_classes), np.float32)

    def __enter__(self) -> 'ImageRecorder':
        """Make the folder."""
        with room_to_write(self.folder, ROOM):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        """Write the scores of this process, unless it has failed."""
        if kind is None:
            self._save(f'scores-{self._rank}.npy', self._scores[self._rank :: self._shards])

    def record(self, images: Sequence[int], predicted: Iterable[tuple[Sequence[int], Tensor]]) -> None:
        """Keep scores: of images that were forwarded together, their positions in ``images`` and their softmax."""
        for positions, scores in predicted:
            self._scores[[images[position] for position in positions]] = scores.cpu().numpy()

    def complete(self, label_ratio: float, **identity: Any) -> ScoreManifest:
        """Join the scores of all processes, select the share of images to keep and complete the bank."""
        written: list[Any] = [None]
        if is_main_process():
            for rank in range(self._shards):
                part = self.folder / f'scores-{rank}.npy'
                self._scores[rank :: self._shards] = np.load(part, allow_pickle=False)
                part.unlink()
            written = [self._write(label_ratio, **identity)]
        broadcast_object_list(written)
        barrier()
        manifest: ScoreManifest = written[0]
        return manifest

    def _write(self, label_ratio: float, **identity: Any) -> ScoreManifest:
        selected = most_confident(self._scores, label_ratio)
        self._save(SCORES, self._scores)
        self._save(SELECTED, selected)
        confidence, prediction = self._scores.max(axis=1), self._scores.argmax(axis=1)
        classes = range(self._scores.shape[1])
        kept = [confidence[selected][prediction[selected] == one] for one in classes]
        manifest = ScoreManifest(
            **identity,
            label_ratio=label_ratio,
            images=len(self._scores),
            thresholds=tuple(float(one.min()) if one.size else np.inf for one in kept),
            totals=tuple(int((prediction == one).sum()) for one in classes),
            kept=tuple(one.size for one in kept),
            shards=self._shards,
            checksum=_digest(self.folder / SCORES, self.folder / SELECTED),
        )
        manifest.write(self.folder)
        return manifest

    def _save(self, name: str, values: np.ndarray) -> None:
        with room_to_write(self.folder / name, ROOM):
            np.save(self.folder / name, values)


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(np.memmap(path, np.uint8, 'r').data)
    return digest.hexdigest()
