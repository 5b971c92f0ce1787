"""The pseudo-label bank: what a labeller writes at a phase's start and its learner reads during it.

A bank is one folder for one phase and labeller::

    labels-<rank>.bin    the encoded labels of the images that process <rank> labelled, one after the other
    index-<rank>.npy     int64 (images, 3): number of the image, offset and length in labels-<rank>.bin
    manifest.json        written last, by one process: a bank without it is not complete

Labels are stored unfiltered, each with its confidence; the thresholds in the manifest are applied on reading.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from mmdmt.pseudo_labels.codec import decode, encode

FORMAT = 1
REMEDY = 'resume the run from a checkpoint at the end of the phase before, or start it again in a new work_dir'


@dataclass(frozen=True)
class Manifest:
    """What is in a bank and where it comes from.

    Args:
        run: Identity of the run that wrote it.
        phase: Number of the phase.
        peer: Name of the labeller.
        weights: SHA-256 of the labeller's weights.
        images: How many images are labelled.
        names: SHA-256 of their names, in order.
        label_ratio: Share of each class that was asked for.
        thresholds: For each class the least confidence that is kept; ``inf`` keeps nothing.
        totals: For each class the pixels predicted.
        kept: For each class the pixels kept.
        shards: How many processes labelled.
        format: Version of this layout.
    """

    run: str
    phase: int
    peer: str
    weights: str
    images: int
    names: str
    label_ratio: float
    thresholds: tuple[float, ...]
    totals: tuple[int, ...]
    kept: tuple[int, ...]
    shards: int
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Complete a bank: write ``manifest.json`` in one atomic step."""
        text = json.dumps(
            {**asdict(self), 'thresholds': [None if k == np.inf else k for k in self.thresholds]}, indent=1
        )
        with (folder / 'manifest.tmp').open('w') as file:
            file.write(text + '\n')
            file.flush()
            os.fsync(file.fileno())
        (folder / 'manifest.tmp').replace(folder / 'manifest.json')

    @classmethod
    def read(cls, folder: Path) -> 'Manifest':
        """Read the manifest of a complete bank.

        Raises:
            FileNotFoundError: If the bank is not complete.
            ValueError: If the manifest is not one of ours.
        """
        path = folder / 'manifest.json'
        if not path.is_file():
            raise FileNotFoundError(f'The pseudo-label bank {folder} is incomplete (no manifest.json): {REMEDY}.')
        try:
            fields: dict[str, Any] = json.loads(path.read_text())
            fields['thresholds'] = tuple(np.inf if k is None else float(k) for k in fields['thresholds'])
            manifest = cls(**{**fields, 'totals': tuple(fields['totals']), 'kept': tuple(fields['kept'])})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f'{path} is no manifest of a pseudo-label bank ({error}): {REMEDY}.') from error
        if manifest.format != FORMAT:
            raise ValueError(f'{path} has format {manifest.format}, this version reads {FORMAT}: {REMEDY}.')
        return manifest

    def check(self, folder: Path, **expected: Any) -> None:
        """Check that the bank is the one that is expected.

        Args:
            folder (Path): Of the bank, for the error message.
            **expected: Fields and the values they must have.

        Raises:
            ValueError: If one of them has another value.
        """
        for field, value in expected.items():
            found = getattr(self, field)
            if found != value:
                raise ValueError(
                    f'The pseudo-label bank {folder} is of another run: its {field} is {found!r}, not {value!r}: '
                    f'{REMEDY}.'
                )


class BankWriter:
    """Write the labels of one process into a bank.

    Args:
        folder (Path): Of the bank; made if needed.
        rank (int): Of the process. Defaults to 0.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._index_path = folder / f'index-{rank}.npy'
        self._file = (folder / f'labels-{rank}.bin').open('wb')
        self._index: list[tuple[int, int, int]] = []
        self._offset = 0

    def write(self, image: int, label: np.ndarray, confidence: np.ndarray) -> None:
        """Append an image.

        Args:
            image (int): Its number in the unlabelled dataset.
            label (np.ndarray): (H, W) uint8.
            confidence (np.ndarray): (H, W) float32.
        """
        data = encode(label, confidence)
        self._file.write(data)
        self._index.append((image, self._offset, len(data)))
        self._offset += len(data)

    def __enter__(self) -> 'BankWriter':
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the files; after an error no index is left, so that the bank cannot be taken for complete."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        if error is None:
            np.save(self._index_path, np.array(self._index, np.int64).reshape(-1, 3))


class PseudoLabelBank:
    """Read a complete bank.

    Safe to use in forked data workers, and side by side in threads.

    Args:
        folder (Path): Of the bank.

    Raises:
        FileNotFoundError: If the bank is not complete.
        ValueError: If its files are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest.read(folder)
        # One for each value that a uint8 label can have; what is no class is never kept.
        self._thresholds = np.full(256, np.inf, np.float32)
        self._thresholds[: len(self.manifest.thresholds)] = self.manifest.thresholds
        self._shard, self._offset, self._length = self._read_index()
        self._files = [os.open(folder / f'labels-{rank}.bin', os.O_RDONLY) for rank in range(self.manifest.shards)]

    def _read_index(self) -> np.ndarray:
        """Return (3, images): the shard, offset and length of each image."""
        where = np.full((3, self.manifest.images), -1, np.int64)
        for rank in range(self.manifest.shards):
            path = self.folder / f'index-{rank}.npy'
            if not path.is_file():
                raise FileNotFoundError(f'The pseudo-label bank {self.folder} lacks {path.name}: {REMEDY}.')
            image, offset, length = np.load(path, allow_pickle=False).T
            where[:, image] = np.full_like(image, rank), offset, length
            size = (self.folder / f'labels-{rank}.bin').stat().st_size
            if length.sum() != size:
                raise ValueError(
                    f'{self.folder}/labels-{rank}.bin has {size} bytes, its index {length.sum()}: {REMEDY}.'
                )
        missing = np.flatnonzero(where[0] < 0)
        if missing.size:
            raise ValueError(
                f'The pseudo-label bank {self.folder} lacks {missing.size} of {self.manifest.images} images, first '
                f'number {missing[0]}: {REMEDY}.'
            )
        return where

    def __len__(self) -> int:
        """Return the number of images."""
        return self.manifest.images

    def read(self, image: int, ignore_index: int = 255) -> tuple[np.ndarray, np.ndarray]:
        """Read the pseudo label of an image, dropping pixels below their class's threshold.

        Args:
            image (int): Its number in the unlabelled dataset.
            ignore_index (int): The label of dropped pixels. Defaults to 255.

        Returns:
            tuple[np.ndarray, np.ndarray]: Label (H, W) uint8 and confidence (H, W) float32.

        Raises:
            ValueError: If the stored data are damaged.
        """
        data = os.pread(self._files[self._shard[image]], int(self._length[image]), int(self._offset[image]))
        try:
            label, confidence = decode(data)
        except ValueError as error:
            raise ValueError(f'Image {image} of the pseudo-label bank {self.folder}: {error}') from error
        label[confidence < self._thresholds[label]] = ignore_index
        return label, confidence

    def __del__(self) -> None:
        """Close the files."""
        for file in getattr(self, '_files', ()):
            os.close(file)


@lru_cache(maxsize=16)
def open_bank(folder: str) -> PseudoLabelBank:
    """Open a bank once for each process; the least recently used is closed when there are many."""
    return PseudoLabelBank(Path(folder))


def remove_banks(root: Path, phase: int, keep: int) -> None:
    """Remove the banks of a run that no coming phase reads.

    Args:
        root (Path): Folder that holds one ``phase_<number>`` folder for each phase.
        phase (int): The latest phase that counts.
        keep (int): How many phases to keep, that one included; 0 keeps all.
    """
    for old in range(phase - keep + 1) if keep else ():
        shutil.rmtree(root / f'phase_{old}', ignore_errors=True)


def summarize(manifest: Manifest, classes: Sequence[str]) -> str:
    """Say in a table what share of each class a bank keeps, for the log."""
    lines = [f'{"class":>20} {"pixels":>12} {"kept":>8} {"threshold":>11}']
    for name, total, kept, threshold in zip(classes, manifest.totals, manifest.kept, manifest.thresholds, strict=True):
        share = f'{kept / total:8.2%}' if total else f'{"none":>8}'
        lines.append(f'{name:>20} {total:>12} {share} {threshold:>11.7f}')
    return '\n'.join(lines)
