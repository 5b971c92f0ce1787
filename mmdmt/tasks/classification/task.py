"""The task of classification."""

from mmdmt.tasks.classification.labels import ImageLabels
from mmdmt.tasks.classification.peers import Classifiers
from mmdmt.tasks.task import Task

CLASSIFICATION = Task('classification', Classifiers(), ImageLabels())
