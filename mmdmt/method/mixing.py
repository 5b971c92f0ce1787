"""Mixing of training images: every pixel keeps the label and the confidence of the image that its color comes from.

All functions work on the tensors of a batch, which they leave as it is, on its device and without waiting for it. What
is random is drawn on the CPU from NumPy's global generator, which the run seeds in every iteration.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmdmt.method.weights import GROUND_TRUTH


class Batch(NamedTuple):
    """A peer's share of a batch, as its loss sees it.

    Attributes:
        inputs: (N, C, H, W) floating, normalized and padded.
        label: (N, H, W) integers; of whole images (N, classes) float32 scores.
        confidence: (N, H, W) or (N,) float32 of the labeler; ``inf`` for ground truth.
        weight: Like ``confidence``, float32, 1 for ground truth, where labels have been weighed before; else None.
    """

    inputs: Tensor
    label: Tensor
    confidence: Tensor
    weight: Tensor | None = None

    def copy(self) -> 'Batch':
        """Return a batch of its own."""
        weight = None if self.weight is None else self.weight.clone()
        return Batch(self.inputs.clone(), self.label.clone(), self.confidence.clone(), weight)


class Box(NamedTuple):
    """A rectangle of pixels: rows ``top`` to ``bottom``, columns ``left`` to ``right``, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int


def draw_box(size: tuple[int, int], area: tuple[float, float], aspect: tuple[float, float]) -> Box:
    """Draw a rectangle of at least one pixel inside of an image of a size, (H, W), as CutMix cuts it.

    Args:
        size (tuple[int, int]): Height and width of the image.
        area (tuple[float, float]): Least and greatest share of the image, drawn uniformly.
        aspect (tuple[float, float]): Least and greatest height over width, drawn uniformly in its logarithm.
    """
    height, width = size
    pixels = np.random.uniform(*area) * height * width
    ratio = math.exp(np.random.uniform(math.log(aspect[0]), math.log(aspect[1])))
    rows = min(height, max(1, round(math.sqrt(pixels * ratio))))
    columns = min(width, max(1, round(math.sqrt(pixels / ratio))))
    top, left = np.random.randint(height - rows + 1), np.random.randint(width - columns + 1)
    return Box(top, top + rows, left, left + columns)


def draw_partners(images: Sequence[int]) -> dict[int, int]:
    """Give every one of two images or more another one of the same list; all are given once."""
    order = [images[i] for i in np.random.permutation(len(images))]
    return dict(zip(order, order[1:] + order[:1], strict=True))


def paste_boxes(batch: Batch, boxes: dict[int, tuple[int, Box]]) -> Batch:
    """Paste a rectangle of another image of the batch into images: color, label, confidence and weight alike.

    Args:
        batch (Batch): With labels of pixels.
        boxes (dict[int, tuple[int, Box]]): For each image that gets one, the number of the image that it is cut from,
            as it was before anything was pasted, and the rectangle.
    """
    mixed = batch.copy()
    for image, (partner, box) in boxes.items():
        window = (..., slice(box.top, box.bottom), slice(box.left, box.right))
        for after, before in zip(mixed, batch, strict=True):
            if after is not None and before is not None:
                after[image][window] = before[partner][window]
    return mixed


def half_of_classes(label: Tensor, num_classes: int) -> Tensor:
    """Choose half of the classes of a label map (H, W) at random, rounded up; return where they are, bool (H, W)."""
    random = torch.from_numpy(np.random.random(num_classes)).to(label.device, non_blocking=True)
    valid = (label >= 0) & (label < num_classes)
    index = label.where(valid, num_classes).long().flatten()
    present = torch.zeros(num_classes + 1, dtype=torch.bool, device=label.device).scatter_(0, index, True)
    present = present[:num_classes]
    rank = random.masked_fill(~present, 2.0).argsort().argsort()
    chosen = present & (rank < (present.sum() + 1) // 2)
    return torch.cat([chosen, chosen.new_zeros(1)])[index].view_as(label)


def paste_classes(batch: Batch, pairs: dict[int, int], num_classes: int) -> Batch:
    """Paste half of the classes of a labeled image, with their ground truth, onto another image.

    ``pairs`` has, for each image that is pasted on, the number of the labeled one.
    """
    mixed = batch.copy()
    for image, source in pairs.items():
        mask = half_of_classes(batch.label[source], num_classes)
        mixed.inputs[image] = torch.where(mask, batch.inputs[source], batch.inputs[image])
        mixed.label[image] = torch.where(mask, batch.label[source], batch.label[image])
        mixed.confidence[image] = batch.confidence[image].masked_fill(mask, GROUND_TRUTH)
        if mixed.weight is not None:
            mixed.weight[image].masked_fill_(mask, 1)
    return mixed


def blank_blocks(batch: Batch, images: Sequence[int], size: int, share: float) -> Batch:
    """Blank square blocks of ``size`` pixels, each with probability ``share``, to the mean color, which is zero."""
    inputs = batch.inputs.clone()
    height, width = inputs.shape[2:]
    grid = (len(images), 1, -(-height // size), -(-width // size))
    keep = torch.from_numpy((np.random.random(grid) >= share).astype(np.float32)).to(inputs.device, non_blocking=True)
    pixels = keep.repeat_interleave(size, 2).repeat_interleave(size, 3)[:, :, :height, :width]
    for row, image in enumerate(images):
        inputs[image] = inputs[image] * pixels[row].to(inputs.dtype)
    return batch._replace(inputs=inputs)


def blend(batch: Batch, share: float, partners: Tensor) -> Batch:
    """Blend whole images, their scores and weights with those of partners; confidences stay those of the image.

    Args:
        batch (Batch): Of whole images.
        share (float): Of the image itself, in [0, 1].
        partners (Tensor): int64 (N,); for each image the number of the other.
    """

    def mixed(one: Tensor) -> Tensor:
        return share * one + (1 - share) * one[partners]

    weight = None if batch.weight is None else mixed(batch.weight)
    return Batch(mixed(batch.inputs), mixed(batch.label), batch.confidence, weight)
