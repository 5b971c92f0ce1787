"""Backbones that the toolboxes lack."""

from mmdmt.models.backbones.wide_resnet import WideResNet

__all__ = ['WideResNet']
