"""Evaluation: metrics for peers and ensemble."""

from mmdmt.evaluation.peer_metric import PeerMetric

__all__ = ['PeerMetric']
