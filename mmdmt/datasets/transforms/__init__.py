"""Transforms of images, labels and confidence maps."""

from importlib.util import find_spec

from mmdmt.datasets.transforms.evaluation_size import EvaluateAtThisSize
from mmdmt.datasets.transforms.light_on_dark import LightOnDark
from mmdmt.datasets.transforms.load_arrays import LoadNpyImage, LoadTiffImage
from mmdmt.datasets.transforms.two_views import TwoViews
from mmdmt.labels.images.transforms import LoadPseudoImageLabel

__all__ = [
    'EvaluateAtThisSize',
    'LightOnDark',
    'LoadNpyImage',
    'LoadPseudoImageLabel',
    'LoadTiffImage',
    'TwoViews',
]

# Classification needs no MMSegmentation.
if find_spec('mmseg'):
    from mmdmt.datasets.transforms.digit_scene import LoadSceneAnnotations, LoadSceneImage
    from mmdmt.datasets.transforms.random_scale import RandomScale
    from mmdmt.datasets.transforms.random_warp import RandomWarp
    from mmdmt.labels.pixels.transforms import IgnoreMargins, LoadPseudoLabel, PackPseudoLabel

    __all__ += [
        'IgnoreMargins',
        'LoadPseudoLabel',
        'LoadSceneAnnotations',
        'LoadSceneImage',
        'PackPseudoLabel',
        'RandomScale',
        'RandomWarp',
    ]
