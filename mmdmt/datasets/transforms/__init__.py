"""Transforms."""

from mmdmt.datasets.transforms.digit_scene import LoadSceneAnnotations, LoadSceneImage
from mmdmt.datasets.transforms.evaluation_size import EvaluateAtThisSize
from mmdmt.datasets.transforms.pseudo_labels import LoadPseudoLabel, PackPseudoLabel
from mmdmt.datasets.transforms.random_scale import RandomScale

__all__ = [
    'EvaluateAtThisSize',
    'LoadPseudoLabel',
    'LoadSceneAnnotations',
    'LoadSceneImage',
    'PackPseudoLabel',
    'RandomScale',
]
