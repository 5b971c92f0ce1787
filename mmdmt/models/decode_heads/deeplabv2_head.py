"""The decode head of DeepLab-v2."""

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmdmt.registry import MODELS


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Sum of dilated 3x3 convolutions with bias, from features straight to logits.

    The atrous spatial pyramid pooling of `DeepLab-v2 <https://arxiv.org/abs/1606.00915>`_ as it stands on a ResNet:
    no norm, activation or dropout. ``(6, 12, 18, 24)`` is the pyramid published as ASPP-L.

    Args:
        in_channels (int): Channels of the feature map; 2048 of a ResNet-101.
        num_classes (int): Classes to predict.
        dilations (Sequence[int]): Dilation, and so padding, of each convolution. Defaults to (6, 12, 18, 24).
        loss_decode (dict | list[dict], optional): Config of the loss. Defaults to ``dict(type='CrossEntropyLoss')``.
        init_cfg (dict | list[dict], optional): Initialization. Defaults to weights of std 0.01 and biases of 0, as
            DeepLab-v2 has it; ``[]`` leaves torch's own.
        **kwargs: Other arguments of ``BaseDecodeHead``, such as ``in_index`` (-1) and ``align_corners`` (False;
            DeepLab-v2 aligns them).

    Raises:
        ValueError: If ``dilations`` is not one or more positive whole numbers.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        dilations: Sequence[int] = (6, 12, 18, 24),
        loss_decode: dict[str, Any] | list[dict[str, Any]] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        listed = isinstance(dilations, (list, tuple)) and len(dilations) > 0
        if not listed or any(type(dilation) is not int or dilation < 1 for dilation in dilations):
            raise ValueError(
                f'dilations={dilations!r} of DeepLabV2Head must be a list of positive whole numbers: give (6, 12, 18, '
                '24), as DeepLab-v2, or (6, 12), as the published numbers of Dynamic Mutual Training.'
            )
        super().__init__(
            in_channels,
            channels=in_channels,
            num_classes=num_classes,
            out_channels=num_classes,
            dropout_ratio=0,
            loss_decode=loss_decode or {'type': 'CrossEntropyLoss'},
            init_cfg={'type': 'Normal', 'layer': 'Conv2d', 'std': 0.01} if init_cfg is None else init_cfg,
            **kwargs,
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
        """Compute logits, (N, num_classes, h, w), at the size of the feature map of ``in_index``."""
        features = self._transform_inputs(inputs)
        first, *others = self.convs
        logits = first(features)
        for conv in others:
            logits = logits + conv(features)
        return logits
