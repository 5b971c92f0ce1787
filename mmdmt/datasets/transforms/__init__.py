"""Transforms."""

from mmdmt.datasets.transforms.digit_scene import LoadSceneAnnotations, LoadSceneImage
from mmdmt.datasets.transforms.pseudo_labels import LoadPseudoLabel, PackPseudoLabel

__all__ = ['LoadPseudoLabel', 'LoadSceneAnnotations', 'LoadSceneImage', 'PackPseudoLabel']
