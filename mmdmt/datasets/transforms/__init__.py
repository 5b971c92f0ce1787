"""Transforms."""

from importlib.util import find_spec

from mmdmt.datasets.transforms.evaluation_size import EvaluateAtThisSize
from mmdmt.datasets.transforms.pseudo_image_labels import LoadPseudoImageLabel

__all__ = ['EvaluateAtThisSize', 'LoadPseudoImageLabel']

# Classification needs no MMSegmentation.
if find_spec('mmseg'):
    from mmdmt.datasets.transforms.digit_scene import LoadSceneAnnotations, LoadSceneImage
    from mmdmt.datasets.transforms.pseudo_labels import LoadPseudoLabel, PackPseudoLabel
    from mmdmt.datasets.transforms.random_scale import RandomScale

    __all__ += ['LoadPseudoLabel', 'LoadSceneAnnotations', 'LoadSceneImage', 'PackPseudoLabel', 'RandomScale']
