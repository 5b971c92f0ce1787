"""The task of segmentation."""

from mmdmt.labels.pixels.labels import PixelLabels
from mmdmt.labels.task import Task
from mmdmt.models.segmentors import Segmentors

SEGMENTATION = Task('segmentation', Segmentors(), PixelLabels())
