"""Record what a segmentor predicts for unlabeled images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce, get_dist_info, is_main_process
from torch import Tensor, nn

from mmdmt.method.thresholds import ConfidenceHistogram
from mmdmt.pseudo_labels.manifest import Manifest
from mmdmt.registry import build_selection
from mmdmt.tasks.segmentation.bank import BankWriter


class PixelRecorder:
    """Write what a segmentor predicts into a :class:`~mmdmt.tasks.segmentation.bank.PseudoLabelBank`.

    Args:
        folder (Path): Of the bank.
        num_images (int): Of the unlabeled dataset.
        num_classes (int): Of the labeled dataset.
        selection (dict, optional): Config of the policy that finds the thresholds. Defaults to
            ``dict(type='mmdmt.ClassBalancedPixels')``.
    """

    def __init__(
        self, folder: Path, num_images: int, num_classes: int, selection: Mapping[str, Any] | None = None
    ) -> None:
        self.selection = build_selection(selection or {'type': 'mmdmt.ClassBalancedPixels'}, 'thresholds')
        self.folder = folder
        self.num_images = num_images
        self._rank, self._shards = get_dist_info()
        self._histogram = ConfidenceHistogram(num_classes)

    def __enter__(self) -> 'PixelRecorder':
        """Open the files of this process."""
        self._writer = BankWriter(self.folder, self._rank)
        return self

    def __exit__(self, *error: Any) -> None:
        """Close them."""
        self._writer.__exit__(*error)

    def record(self, images: Sequence[int], peer: nn.Module, data: dict[str, Any]) -> None:
        """Label images of one size and write the labels.

        Args:
            images (Sequence[int]): Their numbers.
            peer (nn.Module): A segmentor in evaluation mode.
            data (dict): ``inputs`` and ``data_samples``, not preprocessed.
        """
        for image, (labels, confidence) in zip(images, predict(peer, data), strict=True):
            self._writer.write(image, labels, confidence)
            self._histogram.update(labels, confidence)

    def complete(self, label_ratio: float, **identity: Any) -> Manifest:
        """Find the thresholds over all processes and complete the bank.

        Args:
            label_ratio (float): Share of each predicted class to keep, in (0, 1].
            **identity: What else stands in the manifest.
        """
        counts = torch.from_numpy(self._histogram.counts)
        all_reduce(counts, op='sum')
        self._histogram.counts[:] = counts.numpy()
        thresholds = self.selection.thresholds(self._histogram, label_ratio)
        manifest = Manifest(
            **identity,
            label_ratio=label_ratio,
            images=self.num_images,
            thresholds=tuple(thresholds.tolist()),
            totals=tuple(self._histogram.totals.tolist()),
            kept=tuple(self._histogram.kept(thresholds).tolist()),
            shards=self._shards,
        )
        if is_main_process():
            manifest.write(self.folder)
        return manifest


def predict(peer: nn.Module, data: dict[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Label images of one size with a segmentor in evaluation mode.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed.

    Returns:
        list[tuple]: For each image the class of highest probability, (H, W) uint8, and that probability, (H, W)
        float32, at the image's own size.
    """
    return [_most_probable(logits) for logits in predict_logits(peer, data)]


def predict_logits(peer: nn.Module, data: dict[str, Any]) -> list[Tensor]:
    """Return the logits of a segmentor in evaluation mode for images of one size.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed.

    Returns:
        list[Tensor]: Of each image (C, H, W), at the size of the image that it is given.
    """
    samples = [sample.new() for sample in data['data_samples']]
    for sample in samples:
        # A segmentor scales its logits to ori_shape; labels are wanted at the size of the image it is given.
        sample.set_metainfo({'ori_shape': sample.img_shape})
    batch = peer.data_preprocessor({**data, 'data_samples': samples}, False)  # type: ignore[operator]
    return _logits(peer, batch['inputs'], batch['data_samples'])


def _logits(peer: nn.Module, inputs: Tensor, samples: list[Any]) -> list[Tensor]:
    """Return the logits of each image at its own size, as a segmentor's ``predict`` does.

    That also scales them to the size that they have here, and looks for the largest, which labeling does itself:
    together about a tenth of a small network's forward pass.
    """
    # Imported here, because the bank needs no MMSegmentation.
    from mmseg.models.segmentors import EncoderDecoder

    if not isinstance(peer, EncoderDecoder) or type(peer).predict is not EncoderDecoder.predict:
        return [sample.seg_logits.data for sample in peer(inputs, samples, mode='predict')]
    logits = peer.inference(inputs, [sample.metainfo for sample in samples])
    height, width = logits.shape[2:]
    unpadded = []
    for image, sample in zip(logits, samples, strict=True):
        meta = sample.metainfo
        left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', [0] * 4))
        unpadded.append(image[:, top : height - bottom, left : width - right])
    if any(image.shape[1:] != sample.ori_shape for image, sample in zip(unpadded, samples, strict=True)):
        return [sample.seg_logits.data for sample in peer.postprocess_result(logits, samples)]
    return unpadded


def _most_probable(logits: Tensor) -> tuple[np.ndarray, np.ndarray]:
    confidence, label = logits.float().softmax(dim=0).max(dim=0)
    return label.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy()
