"""Preprocess the images of a batch for one peer, and put together those that it can forward together."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn


def preprocessed(
    peer: nn.Module, data: dict[str, Any], apart: Callable[[Any], Any] = lambda sample: None
) -> Iterator[tuple[list[int], Tensor, list[Any]]]:
    """Preprocess each image as a peer does outside training, and group those that its padding makes equal.

    Args:
        peer (nn.Module): With a ``data_preprocessor``.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed, of any sizes. The samples are changed.
        apart (Callable, optional): Given a sample; images with different answers are kept apart. Defaults to one answer
            for all.

    Yields:
        tuple: The positions of a group in the batch, its images (N, 3, H, W) and their samples.
    """
    groups: dict[Any, list[tuple[int, Tensor, Any]]] = {}
    for position, (image, sample) in enumerate(zip(data['inputs'], data['data_samples'], strict=True)):
        # One by one, because a preprocessor of MMSegmentation refuses different sizes even where it pads to one.
        one = peer.data_preprocessor({'inputs': [image], 'data_samples': [sample]}, False)  # type: ignore[operator]
        key = (tuple(one['inputs'].shape), apart(sample))
        groups.setdefault(key, []).append((position, one['inputs'], one['data_samples'][0]))
    for group in groups.values():
        positions, images, samples = zip(*group, strict=True)
        yield list(positions), torch.cat(images), list(samples)
