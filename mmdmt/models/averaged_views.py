"""Label an image by the mean of what is predicted for it flipped and scaled, and of what several peers predict."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdmt.models.prediction import Predicted, predict_logits

FLIPS = {'horizontal': [-1], 'vertical': [-2], 'diagonal': [-2, -1]}
Predict = Callable[[nn.Module, dict[str, Any]], Iterable[Any]]


class AveragedViews:
    """Predict the mean softmax over views of an image, and over peers if there is more than one.

    Args:
        flips: Of ``'horizontal'``, ``'vertical'`` and ``'diagonal'`` (both), beside the image as it is.
        scales: Factors of the image's size; the image as it is, is 1.
        peers: Peers whose mean is the label of every one of them; empty for each peer's own.
    """

    def __init__(
        self, flips: Sequence[str] = (), scales: Sequence[float] = (1.0,), peers: Mapping[str, nn.Module] | None = None
    ) -> None:
        self.flips = [[], *(FLIPS[flip] for flip in flips)]
        self.scales = scales
        self.peers = list((peers or {}).values())

    def __call__(self, peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
        """Predict each image of a batch that is not preprocessed."""
        images: list[Tensor] = data['inputs']
        sums: list[Tensor] = []
        for one in self.peers or [peer]:
            for scale in self.scales:
                for flip in self.flips:
                    for number, probability in enumerate(self._view(one, data, images, scale, flip)):
                        if number < len(sums):
                            sums[number] += probability
                        else:
                            sums.append(probability)
        for number, total in enumerate(sums):
            # The softmax of the logarithm of a distribution is this distribution.
            mean = total / total.sum(dim=0, keepdim=True)
            logits = mean.clamp(min=torch.finfo(mean.dtype).tiny).log().unsqueeze(0)
            yield Predicted([number], logits, [(slice(None), slice(None))])

    @staticmethod
    def _view(
        peer: nn.Module, data: dict[str, Any], images: Sequence[Tensor], scale: float, flip: list[int]
    ) -> Iterator[Tensor]:
        """Predict one view of each image and turn it back, (C, H, W) probabilities."""
        views = [_scaled(image, scale).flip(flip) if flip else _scaled(image, scale) for image in images]
        samples = [sample.new() for sample in data['data_samples']]
        for sample, view in zip(samples, views, strict=True):
            sample.set_metainfo({'img_shape': tuple(view.shape[1:]), 'ori_shape': tuple(view.shape[1:])})
        for image, logits in zip(images, predict_logits(peer, {'inputs': views, 'data_samples': samples}), strict=True):
            probability = logits.softmax(dim=0, dtype=torch.float32)
            probability = probability.flip(flip) if flip else probability
            size = list(image.shape[1:])
            if list(probability.shape[1:]) != size:
                probability = F.interpolate(probability[None], size, mode='bilinear', align_corners=False)[0]
            yield probability


def _scaled(image: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return image
    size = [max(round(side * scale), 1) for side in image.shape[1:]]
    scaled = F.interpolate(image[None].float(), size, mode='bilinear', align_corners=False, antialias=scale < 1)
    return scaled[0].round().clamp(0, 255).to(image.dtype)
