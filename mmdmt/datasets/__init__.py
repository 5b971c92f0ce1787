"""Datasets, samplers and transforms."""

from importlib.util import find_spec

from mmdmt.datasets.digits.digits import Digits
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.sampler import MutualBatchSampler

__all__ = ['Digits', 'MutualBatchSampler', 'MutualDataset']

# Classification needs no MMSegmentation.
if find_spec('mmseg'):
    from mmdmt.datasets.benchmarks.acdc import ACDCDataset
    from mmdmt.datasets.benchmarks.converted import CamVidDataset, GTADataset, KvasirSEGDataset, SYNTHIADataset
    from mmdmt.datasets.digits.digit_scenes import DigitScenes

    __all__ += ['ACDCDataset', 'CamVidDataset', 'DigitScenes', 'GTADataset', 'KvasirSEGDataset', 'SYNTHIADataset']

if find_spec('mmpretrain'):
    from mmdmt.datasets.benchmarks.cifar import PartlyLabeledCIFAR10

    __all__ += ['PartlyLabeledCIFAR10']
