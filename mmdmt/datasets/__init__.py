"""Datasets, samplers and transforms."""

from mmdmt.datasets.digit_scenes import DigitScenes
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.samplers import MutualBatchSampler

__all__ = ['DigitScenes', 'MutualBatchSampler', 'MutualDataset']
