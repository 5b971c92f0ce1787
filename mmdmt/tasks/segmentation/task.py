"""The task of segmentation."""

from mmdmt.tasks.segmentation.labels import PixelLabels
from mmdmt.tasks.segmentation.peers import Segmentors
from mmdmt.tasks.task import Task

SEGMENTATION = Task('segmentation', Segmentors(), PixelLabels())
