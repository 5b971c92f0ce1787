"""Forward segmentors for images of any sizes, and crops of training images."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor, nn

from mmdmt.models.preprocessing import preprocessed

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


def predict_logits(peer: nn.Module, data: dict[str, Any]) -> list[Tensor]:
    """Return the logits of a segmentor in evaluation mode.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed, of any sizes.

    Returns:
        list[Tensor]: Of each image (C, H, W), at the size of the image that it is given.
    """
    found: dict[int, Tensor] = {}
    for positions, logits, windows in forward(peer, data):
        for position, image, (rows, columns) in zip(positions, logits, windows, strict=True):
            found[position] = image[:, rows, columns]
    return [found[position] for position in range(len(found))]


def forward(peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
    """Forward images through a segmentor in evaluation mode, together those that its padding makes equal.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed, of any sizes.

    Yields:
        Predicted: As the segmentor's own ``predict`` gives them, but for the scaling to the size of the file.
    """
    samples = [sample.new() for sample in data['data_samples']]
    for sample in samples:
        # A segmentor scales its logits to ori_shape; labels are wanted at the size of the image it is given.
        sample.set_metainfo({'ori_shape': sample.img_shape})
    data = {'inputs': data['inputs'], 'data_samples': samples}
    if not _is_plain(peer):
        for positions, inputs, group in preprocessed(peer, data, apart=lambda sample: tuple(sample.img_shape)):
            for position, sample in zip(positions, peer(inputs, group, mode='predict'), strict=True):
                yield _of_one(position, sample.seg_logits.data)
        return
    for positions, inputs, group in preprocessed(peer, data):
        yield from _forward_plain(peer, positions, inputs, group)


def forward_crops(peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
    """Forward crops of training images through a segmentor in evaluation mode, all of them together.

    They are padded as the segmentor pads them in training: crops of small images differ in size, and some networks
    take no size but the one that they are trained with.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed; both shapes of a sample are those of the crop.

    Yields:
        Predicted: As :func:`forward` does.
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
    if _is_plain(peer):
        yield from _forward_plain(peer, list(range(len(inputs))), inputs, samples)
        return
    for position, sample in enumerate(peer(inputs, samples, mode='predict')):
        yield _of_one(position, sample.seg_logits.data)


def _is_plain(peer: nn.Module) -> bool:
    """Whether a segmentor predicts as MMSegmentation's do."""
    # Imported here, because the bank needs no MMSegmentation.
    from mmseg.models.segmentors import EncoderDecoder

    return isinstance(peer, EncoderDecoder) and type(peer).predict is EncoderDecoder.predict


def _forward_plain(peer: Any, positions: list[int], inputs: Tensor, samples: list[Any]) -> Iterator[Predicted]:
    """Do what ``EncoderDecoder.predict`` does, without a second scaling and search for the largest logit.

    Together these take about a tenth of a small network's forward pass.
    """
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
            for position, result in zip(positions, peer.postprocess_result(logits, samples), strict=True):
                yield _of_one(position, result.seg_logits.data)
            return
    yield Predicted(positions, logits, windows)


def _of_one(position: int, logits: Tensor) -> Predicted:
    return Predicted([position], logits.unsqueeze(0), [(slice(None), slice(None))])
