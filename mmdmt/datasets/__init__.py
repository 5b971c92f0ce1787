"""Datasets, samplers and transforms."""

from importlib.util import find_spec

from mmdmt.datasets.digits import Digits
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.samplers import MutualBatchSampler

__all__ = ['Digits', 'MutualBatchSampler', 'MutualDataset']

# Classification needs no MMSegmentation.
if find_spec('mmseg'):
    from mmdmt.datasets.digit_scenes import DigitScenes
    from mmdmt.datasets.gta import GTADataset
    from mmdmt.datasets.kvasir_seg import KvasirSEGDataset
    from mmdmt.datasets.synthia import SYNTHIADataset

    __all__ += ['DigitScenes', 'GTADataset', 'KvasirSEGDataset', 'SYNTHIADataset']

if find_spec('mmpretrain'):
    from mmdmt.datasets.cifar import PartlyLabeledCIFAR10

    __all__ += ['PartlyLabeledCIFAR10']
