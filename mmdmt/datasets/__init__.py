"""Datasets, samplers and transforms."""

from mmdmt.datasets.digit_scenes import DigitScenes
from mmdmt.datasets.gta import GTADataset
from mmdmt.datasets.kvasir_seg import KvasirSEGDataset
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.samplers import MutualBatchSampler
from mmdmt.datasets.synthia import SYNTHIADataset

__all__ = ['DigitScenes', 'GTADataset', 'KvasirSEGDataset', 'MutualBatchSampler', 'MutualDataset', 'SYNTHIADataset']
