"""Evaluation: metrics for peers and ensemble."""

from mmdmt.evaluation.peer_metric import PeerMetric
from mmdmt.evaluation.subset_iou_metric import SubsetIoUMetric

__all__ = ['PeerMetric', 'SubsetIoUMetric']
