"""The decode head of DeepLab-v2."""

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmdmt.registry import MODELS


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Sum of dilated 3x3 convolutions, from features straight to logits.

    The atrous spatial pyramid pooling of `DeepLab-v2 <https://arxiv.org/abs/1606.00915>`_ in the form that it has on a
    ResNet: one convolution with bias for each dilation, and nothing before, between or after them; no norm, activation
    or dropout. ``(6, 12, 18, 24)`` is the pyramid published as ASPP-L.

    Args:
        in_channels (int): Channels of the feature map; 2048 of a ResNet-101.
        num_classes (int): Classes to predict.
        dilations (Sequence[int]): Dilation, and so padding, of each convolution. Defaults to (6, 12, 18, 24).
        in_index (int): Which of the backbone's feature maps to use. Defaults to -1, the last.
        loss_decode (dict | list[dict], optional): Config of the loss. Defaults to ``dict(type='CrossEntropyLoss')``.
        ignore_index (int): The label that does not count. Defaults to 255.
        sampler (dict, optional): Config of a pixel sampler of MMSegmentation. Defaults to None.
        align_corners (bool): How logits are scaled to the label and to the image; DeepLab-v2 aligns corners. Defaults
            to False, as in every other head.
        init_cfg (dict | list[dict], optional): Initialization. Defaults to a normal distribution of std 0.01 for the
            weights and 0 for the biases, as DeepLab-v2 has it; ``[]`` leaves torch's own.

    Raises:
        ValueError: If ``dilations`` is not one or more positive whole numbers.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        dilations: Sequence[int] = (6, 12, 18, 24),
        in_index: int = -1,
        loss_decode: dict[str, Any] | list[dict[str, Any]] | None = None,
        ignore_index: int = 255,
        sampler: dict[str, Any] | None = None,
        align_corners: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        _check_dilations(dilations)
        super().__init__(
            in_channels,
            channels=in_channels,
            num_classes=num_classes,
            out_channels=num_classes,
            dropout_ratio=0,
            in_index=in_index,
            loss_decode=loss_decode or {'type': 'CrossEntropyLoss'},
            ignore_index=ignore_index,
            sampler=sampler,
            align_corners=align_corners,
            init_cfg={'type': 'Normal', 'layer': 'Conv2d', 'std': 0.01} if init_cfg is None else init_cfg,
        )
        # The base class ends in this layer; here it would be a parameter without gradient, which distributed training
        # refuses.
        del self.conv_seg
        self.dilations = tuple(dilations)
        self.convs = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, kernel_size=3, padding=dilation, dilation=dilation)
            for dilation in self.dilations
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Compute logits at the size of the feature map.

        Args:
            inputs (Sequence[Tensor]): The backbone's feature maps; the one of ``in_index`` is (N, in_channels, h, w).

        Returns:
            Tensor: (N, num_classes, h, w), in the dtype of the features.
        """
        features = self._transform_inputs(inputs)
        first, *others = self.convs
        logits = first(features)
        for conv in others:
            logits = logits + conv(features)
        return logits


def _check_dilations(dilations: Sequence[int]) -> None:
    fits = isinstance(dilations, Sequence) and len(dilations) > 0
    if not fits or any(type(dilation) is not int or dilation < 1 for dilation in dilations):
        raise ValueError(
            f'dilations={dilations!r} of DeepLabV2Head is not a list of positive whole numbers: give (6, 12, 18, 24), '
            'as DeepLab-v2, or (6, 12), as the published numbers of Dynamic Mutual Training.'
        )
