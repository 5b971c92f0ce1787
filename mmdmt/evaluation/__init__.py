"""Evaluation: metrics for peers and ensemble."""

from importlib.util import find_spec

from mmdmt.evaluation.peer_metric import PeerMetric

__all__ = ['PeerMetric']

# Classification needs no MMSegmentation.
if find_spec('mmseg'):
    from mmdmt.evaluation.subset_iou_metric import SubsetIoUMetric

    __all__ += ['SubsetIoUMetric']
