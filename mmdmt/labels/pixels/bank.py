"""Store the pseudo labels of pixels in a bank: a labeler writes it at a phase's start, its learner reads it.

A bank is one folder for one phase and labeler::

    labels-<rank>.bin    the encoded labels of the images that process <rank> labeled, one after the other
    index-<rank>.npy     int64 (images, 3): number of the image, offset and length in labels-<rank>.bin
    manifest.json        written last, by one process: a bank without it is not complete

Labels are stored unfiltered, each with its confidence; the thresholds in the manifest are applied on reading.
"""

import contextlib
import os
from array import array
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdmt.atomic_write import room_to_write
from mmdmt.labels.manifest import REMEDY, ROOM, Manifest
from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.method.confidence_levels import dequantize, quantize


class BankWriter:
    """Write the labels of one process into a bank.

    Args:
        folder (Path): Of the bank; made if needed.
        rank (int): Of the process. Defaults to 0.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        self._index_path, self._labels_path = folder / f'index-{rank}.npy', folder / f'labels-{rank}.bin'
        with room_to_write(self._labels_path, ROOM):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._labels_path.open('wb')
        self._index = array('q')  # flat: tuples would take 30 MB for 200 000 images
        self._offset = 0

    def write(self, image: int, label: np.ndarray, confidence: np.ndarray) -> None:
        """Encode the label of an image, (H, W) uint8, with its confidence, (H, W) float32, and append it."""
        self.append(image, encode(label, quantize(confidence)))

    def append(self, image: int, data: bytes) -> None:
        """Append what :func:`~mmdmt.labels.pixels.codec.encode` made of an image, by its number in the dataset."""
        with room_to_write(self._labels_path, ROOM):
            self._file.write(data)
        self._index.extend((image, self._offset, len(data)))
        self._offset += len(data)

    def __enter__(self) -> 'BankWriter':
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: Any) -> None:
        """Close the files; after an error no index is left, so that the bank is not complete."""
        if error is not None:
            with contextlib.suppress(OSError):  # it must not hide the error that has come first
                self._file.close()
            return
        with room_to_write(self._labels_path, ROOM), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        with room_to_write(self._index_path, ROOM):
            np.save(self._index_path, np.array(self._index, np.int64).reshape(-1, 3))


class PseudoLabelBank:
    """Read a complete bank, in forked data workers and side by side in threads, too.

    Args:
        folder (Path): Of the bank.

    Raises:
        FileNotFoundError: If the bank is not complete.
        ValueError: If its files are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest.read(folder)
        # One for each value that a uint8 label can have; what is beyond the classes is never kept.
        self._thresholds = np.full(256, np.inf, np.float32)
        self._thresholds[: len(self.manifest.thresholds)] = self.manifest.thresholds
        self._shard, self._offset, self._length = self._read_index()
        self._files = [os.open(folder / f'labels-{rank}.bin', os.O_RDONLY) for rank in range(self.manifest.shards)]

    def _read_index(self) -> np.ndarray:
        """Return (3, images): the shard, offset and length of each image. What is at its offset has a checksum."""
        images = self.manifest.images
        index = np.concatenate([self._read_shard(rank) for rank in range(self.manifest.shards)])
        numbers = index[:, 0]
        if not np.array_equal(np.sort(numbers), np.arange(images)):
            lacks = np.setdiff1d(np.arange(images), numbers)
            first = f', first number {lacks[0]}' if lacks.size else ''
            raise ValueError(
                f'The pseudo-label bank {self.folder} lacks {lacks.size} of {images} images{first}, and its index '
                f'names {len(numbers)}: {REMEDY}.'
            )
        return index[np.argsort(numbers), 1:].T

    def _read_shard(self, rank: int) -> np.ndarray:
        """Return (images of the shard, 4): number, shard, offset and length, which fill the file of labels."""
        path, labels = self.folder / f'index-{rank}.npy', self.folder / f'labels-{rank}.bin'
        for needed in (path, labels):
            if not needed.is_file():
                raise FileNotFoundError(f'The pseudo-label bank {self.folder} lacks {needed.name}: {REMEDY}.')
        try:
            index = np.insert(np.load(path, allow_pickle=False).reshape(-1, 3), 1, rank, axis=1)
        except (ValueError, OSError, EOFError, MemoryError) as error:
            raise ValueError(f'{path} must be the index of a pseudo-label bank ({error}): {REMEDY}.') from error
        size, told = labels.stat().st_size, index[:, 3].sum()
        if told != size:
            raise ValueError(f'{labels} has {size} bytes, its index {told}: {REMEDY}.')
        return index

    def __len__(self) -> int:
        """Return the number of images."""
        return self.manifest.images

    def read(self, image: int, ignore_index: int = 255) -> tuple[np.ndarray, np.ndarray]:
        """Read the label of an image, (H, W) uint8, and its confidence, (H, W) float32.

        Args:
            image (int): Its number in the unlabeled dataset.
            ignore_index (int): The label that pixels below their class's threshold get. Defaults to 255.

        Raises:
            ValueError: If the stored data are damaged.
        """
        label, confidence = self.unfiltered(image)
        # What np.copyto(where=) does, in a quarter of its time: all bits of a byte are set where a pixel is dropped.
        dropped = -(confidence < cv2.LUT(label, self._thresholds)).view(np.uint8)
        label ^= (label ^ np.uint8(ignore_index)) & dropped
        return label, confidence

    def unfiltered(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the label of an image as :meth:`read` does, but drop no pixel."""
        data = os.pread(self._files[self._shard[image]], int(self._length[image]), int(self._offset[image]))
        try:
            label, levels = decode(data)
        except ValueError as error:
            raise ValueError(f'Image {image} of the pseudo-label bank {self.folder}: {error}') from error
        return label, dequantize(levels)

    def kept(self, image: int) -> np.ndarray:
        """Read the pseudo label of an image without its confidence; dropped pixels have a label beyond the classes."""
        return self.read(image)[0]

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        """Close the files; at the end of the process ``os`` may be gone before."""
        for file in getattr(self, '_files', ()):
            close(file)


@lru_cache(maxsize=16)
def open_bank(folder: str) -> PseudoLabelBank:
    """Open a bank once for each process; the least recently used is closed when there are many."""
    return PseudoLabelBank(Path(folder))
