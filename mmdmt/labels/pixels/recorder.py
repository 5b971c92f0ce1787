"""Record what a segmentor predicts for unlabeled images: classes and confidence levels."""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dist import all_reduce, get_dist_info, is_main_process
from torch import Tensor

from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.labels.pixels.codec import encode
from mmdmt.method.confidence_levels import NUM_LEVELS, quantize_tensor
from mmdmt.method.thresholds import class_thresholds, count_kept, count_levels

Window = tuple[slice, slice]
Predicted = tuple[Sequence[int], Tensor, Sequence[Window]]


class LabeledImages(NamedTuple):
    """The labels of images that were forwarded together, of padding as well."""

    labels: Tensor
    """(N, H, W) uint8; the class of highest probability."""
    levels: Tensor
    """(N, H, W) int16; the level of that probability, of :func:`~mmdmt.method.confidence_levels.quantize_tensor`."""


def most_probable(logits: Tensor) -> LabeledImages:
    """Find the class of highest probability of each pixel in logits (N, C, H, W); the softmax is taken in float32."""
    confidence, labels = logits.softmax(dim=1, dtype=torch.float32).max(dim=1)
    return LabeledImages(labels.to(torch.uint8), quantize_tensor(confidence))


class PixelRecorder:
    """Write what a segmentor predicts into a :class:`~mmdmt.labels.pixels.bank.PseudoLabelBank`.

    Classes, levels and their counts are made on the segmentor's device; three bytes a pixel are copied from it. Threads
    wait for the copy and encode it while the next images are forwarded; what is written does not depend on them.

    Args:
        folder (Path): Of the bank.
        num_images (int): Of the unlabeled dataset.
        num_classes (int): Of the labeled dataset.
        encoding_threads (int): Threads that encode labels. Defaults to 4.
    """

    def __init__(self, folder: Path, num_images: int, num_classes: int, encoding_threads: int = 4) -> None:
        self.folder = folder
        self.num_images = num_images
        self._rank, self._shards = get_dist_info()
        self._counts = torch.zeros(num_classes, NUM_LEVELS, dtype=torch.int64)  # on the device, from the first image on
        self._threads = encoding_threads
        self._encoding: deque[tuple[int, Future[bytes]]] = deque()

    def __enter__(self) -> 'PixelRecorder':
        """Open the files of this process."""
        self._writer = BankWriter(self.folder, self._rank)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix='label')
        return self

    def __exit__(self, *error: Any) -> None:
        """Write what is still being encoded, unless something has failed, and close the files."""
        try:
            if error[0] is not None:
                self._writer.__exit__(*error)
                return
            with self._writer:
                self._write(under_way=0)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def record(self, images: Sequence[int], predicted: Iterable[Predicted]) -> None:
        """Label images and write the labels.

        Args:
            images (Sequence[int]): Their numbers.
            predicted (Iterable[tuple]): Of images that were forwarded together: their positions in ``images``, logits
                (N, C, H, W), padded like the images, and for each the rows and columns that are not padding.

        Raises:
            ValueError: If the segmentor predicts more classes than the dataset has, or NaN.
        """
        for positions, logits, windows in predicted:
            if logits.shape[1] > len(self._counts):
                raise ValueError(
                    f'The labeler of {self.folder} predicts {logits.shape[1]} classes, but the labeled dataset has '
                    f'{len(self._counts)}: give its head as many num_classes.'
                )
            labeled = most_probable(logits)
            self.count(labeled, windows)
            self.store([images[position] for position in positions], labeled, windows)

    def store(self, images: Sequence[int], labeled: LabeledImages, windows: Sequence[Window]) -> None:
        """Encode the labels of images, inside of their windows, and write them before the files are closed."""
        copy = _HostCopy(labeled)
        for number, (image, window) in enumerate(zip(images, windows, strict=True)):
            self._encoding.append((image, self._pool.submit(_encoded, image, copy, number, window)))
            self._write(under_way=2 * self._threads)

    def _write(self, under_way: int) -> None:
        """Write what is encoded, in order; wait for the oldest while more than so many are under way."""
        while self._encoding and (len(self._encoding) > under_way or self._encoding[0][1].done()):
            image, encoded = self._encoding.popleft()
            self._writer.append(image, encoded.result())

    def count(self, labeled: LabeledImages, windows: Sequence[Window]) -> None:
        """Count what is inside of the windows, on the device, which must not be waited for."""
        self._counts = self._counts.to(labeled.labels.device)
        for label, levels, window in zip(*labeled, windows, strict=True):
            self._counts += count_levels(label[window], levels[window], len(self._counts))

    def complete(self, label_ratio: float, **identity: Any) -> Manifest:
        """Find the thresholds of a share of each predicted class over all processes, and complete the bank."""
        counts = self._counts.cpu()
        all_reduce(counts, op='sum')
        thresholds = class_thresholds(counts, label_ratio)
        manifest = Manifest(
            **identity,
            label_ratio=label_ratio,
            images=self.num_images,
            thresholds=tuple(thresholds.tolist()),
            totals=tuple(counts.sum(dim=1).tolist()),
            kept=tuple(count_kept(counts, thresholds).tolist()),
            shards=self._shards,
        )
        if is_main_process():
            manifest.write(self.folder)
        return manifest


class _HostCopy:
    """Labels and levels on their way from any device to the host; a GPU goes on while they are copied."""

    def __init__(self, labeled: LabeledImages) -> None:
        device = labeled.labels.device
        # Into pinned memory, which torch allocates for a copy that does not block; other devices wait here.
        self._tensors = [tensor.to('cpu', non_blocking=device.type == 'cuda') for tensor in labeled]
        self._copied = torch.cuda.current_stream(device).record_event() if device.type == 'cuda' else None

    def image(self, number: int, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Wait for the copy, and return the labels and the levels, uint8 and uint16, of a part of an image."""
        if self._copied is not None:
            self._copied.synchronize()
        label, levels = (tensor[number][window].numpy() for tensor in self._tensors)
        return label, levels.view(np.uint16)


def _encoded(image: int, copy: _HostCopy, number: int, window: Window) -> bytes:
    """Encode the label of an image; called in threads."""
    label, levels = copy.image(number, window)
    if levels.max(initial=0) >= NUM_LEVELS:
        raise ValueError(
            f'The labeler predicts NaN or infinity for image {image} of the unlabeled dataset: look for a loss that '
            'was NaN, and lower the learning rate.'
        )
    return encode(label, levels)
