"""The task of classification."""

from mmdmt.labels.images.labels import ImageLabels
from mmdmt.labels.task import Task
from mmdmt.models.classifiers import Classifiers

CLASSIFICATION = Task('classification', Classifiers(), ImageLabels())
