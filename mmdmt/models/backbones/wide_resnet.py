"""Wide residual networks (WRN) for small images."""

from itertools import pairwise
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdmt.registry import MODELS
from mmdmt.settings import Number, check_settings


@MODELS.register_module()
class WideResNet(BaseModule):
    """A wide residual network, such as WRN-28-2, for images of 32x32 pixels.

    A 3x3 convolution and three stages of pre-activated residual units; the second and the third stage halve height and
    width. Batch norm and ReLU end it, so that pooling and a linear head can follow. Zagoruyko and Komodakis, "Wide
    Residual Networks", BMVC 2016, https://arxiv.org/abs/1605.07146.

    Args:
        depth (int): Number of convolutions, 4 + 6n for n units a stage, such as 10, 16, 28 or 40. Defaults to 28.
        widen_factor (int): The stages have ``16, 32, 64`` times this channels. Defaults to 2.
        init_cfg (dict | list[dict], optional): Initialization. Defaults to Kaiming's of the convolutions, by their
            outgoing connections.

    Raises:
        ValueError: If the values make no network.
    """

    SETTINGS = {'widen_factor': Number(1, whole=True)}

    def __init__(self, depth: int = 28, widen_factor: int = 2, init_cfg: Any = None) -> None:
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d', mode='fan_out'))
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(
                f'depth={depth} of WideResNet must be 4 + 6n with n >= 1: give 10, 16, 22, 28, 34, 40, ...'
            )
        check_settings(self, locals())
        channels = (16, *(16 * 2**stage * widen_factor for stage in range(3)))
        self.stem = nn.Conv2d(3, channels[0], 3, padding=1, bias=False)
        self.stages = nn.ModuleList()
        for stage, (before, after) in enumerate(pairwise(channels)):
            others = (PreActivatedUnit(after, after, 1) for _ in range((depth - 4) // 6 - 1))
            self.stages.append(nn.Sequential(PreActivatedUnit(before, after, 2 if stage else 1), *others))
        self.norm = nn.BatchNorm2d(channels[-1])

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the features of a batch, (N, 64 * widen_factor, H/4, W/4), rounded up, from (N, 3, H, W)."""
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return (F.relu(self.norm(x)),)


class PreActivatedUnit(nn.Module):
    """Two 3x3 convolutions, each behind batch norm and ReLU, added to the shortcut.

    Where the width changes, the shortcut is a 1x1 convolution of the activated input; elsewhere it is the input itself.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        # Every stride comes with a new width.
        self.shortcut = (
            None if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit's output, (N, out_channels, H/stride, W/stride), from (N, in_channels, H, W)."""
        activated = F.relu(self.norm1(x))
        residual = self.conv2(F.relu(self.norm2(self.conv1(activated))))
        shortcut: Tensor = x if self.shortcut is None else self.shortcut(activated)
        return shortcut + residual
