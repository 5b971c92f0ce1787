"""Preprocess and forward images of any sizes for one peer, and crops of training images."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Window = tuple[slice, slice]


class Predicted(NamedTuple):
    """The logits of images that were forwarded together.

    Attributes:
        positions: Of the images in the batch.
        logits: (N, C, H, W), on the segmentor's device; padded like the images.
        windows: For each image the rows and columns that are not padding.
    """

    positions: list[int]
    logits: Tensor
    windows: list[Window]


def preprocessed(
    peer: nn.Module, data: dict[str, Any], apart: Callable[[Any], Any] = lambda sample: None
) -> Iterator[tuple[list[int], Tensor, list[Any]]]:
    """Preprocess each image as a peer does outside training, and group those that its padding makes equal.

    Samples, which are changed, are grouped by what ``apart`` returns for them, too.

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


def predict_logits(peer: nn.Module, data: dict[str, Any]) -> list[Tensor]:
    """Return of each image the logits of a segmentor, (C, H, W) at the size of the image; see :func:`forward`."""
    return in_order(forward(peer, data))


def in_order(predicted: Iterator[Predicted]) -> list[Tensor]:
    """Return the logits of each image, (C, H, W) without padding, in the order of the batch."""
    found: dict[int, Tensor] = {}
    for positions, logits, windows in predicted:
        for position, image, (rows, columns) in zip(positions, logits, windows, strict=True):
            found[position] = image[:, rows, columns]
    return [found[position] for position in range(len(found))]


def forward(peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
    """Forward images through a segmentor in evaluation mode, together those that its padding makes equal.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed, of any sizes.

    Yields:
        Predicted: At the size of the image that it is given.
    """
    samples = [sample.new() for sample in data['data_samples']]
    for sample in samples:
        # A segmentor scales its logits to ori_shape; labels are wanted at the size of the image it is given.
        sample.set_metainfo({'ori_shape': sample.img_shape})
    plain = _is_plain(peer)
    batch = {'inputs': data['inputs'], 'data_samples': samples}
    groups = preprocessed(peer, batch, lambda sample: None if plain else tuple(sample.img_shape))
    for positions, inputs, group in groups:
        yield from _forward(peer, plain, positions, inputs, group)


def forward_crops(peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
    """Forward crops of training images as :func:`forward` does, but together and padded as in training.

    Crops of small images differ in size, and some networks take one size alone.
    """
    preprocessor: Any = peer.data_preprocessor
    if getattr(preprocessor, 'batch_augments', None) is not None:  # they would mix what is to be labeled
        yield from forward(peer, data)
        return
    batch = preprocessor(data, True)
    inputs, samples = batch['inputs'], batch['data_samples']
    padded = tuple(inputs.shape[2:])
    for sample in samples:
        # A head scales its logits to the shape that stands with the first image, which is that of its crop.
        sample.set_metainfo({'img_shape': padded, 'pad_shape': padded})
    yield from _forward(peer, _is_plain(peer), list(range(len(inputs))), inputs, samples)


def _is_plain(peer: nn.Module) -> bool:
    """Whether a segmentor predicts as MMSegmentation's do."""
    # Imported here, because labeling images needs no MMSegmentation.
    from mmseg.models.segmentors import EncoderDecoder

    return isinstance(peer, EncoderDecoder) and type(peer).predict is EncoderDecoder.predict


def _forward(peer: Any, plain: bool, positions: list[int], inputs: Tensor, samples: list[Any]) -> Iterator[Predicted]:
    """Do what ``predict`` does, for a plain segmentor without a second scaling and search for the largest logit."""
    if not plain:
        yield from _apart(positions, peer(inputs, samples, mode='predict'))
        return
    # MMSegmentation logs a warning in every batch whose images were not of one size before padding.
    of_one_size = {'ori_shape': tuple(inputs.shape[2:])}
    logits = peer.inference(inputs, [{**sample.metainfo, **of_one_size} for sample in samples])
    height, width = logits.shape[2:]
    windows = []
    for sample in samples:
        meta = sample.metainfo
        left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', [0] * 4))
        windows.append((slice(top, height - bottom), slice(left, width - right)))
        if (height - bottom - top, width - right - left) != tuple(sample.ori_shape):
            yield from _apart(positions, peer.postprocess_result(logits, samples))
            return
    yield Predicted(positions, logits, windows)


def _apart(positions: list[int], results: list[Any]) -> Iterator[Predicted]:
    """Yield the logits of images one by one: they may differ in size."""
    for position, sample in zip(positions, results, strict=True):
        yield Predicted([position], sample.seg_logits.data.unsqueeze(0), [(slice(None), slice(None))])
