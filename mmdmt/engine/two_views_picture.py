"""What a training crop of an unlabeled image looks like to labeler and learner, to be drawn."""

from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from torch import Tensor

from mmdmt.method.draws import ONLINE, WEAK_VIEW, Draw
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.prediction import forward_crops


def views_of(dataset: Any, peer: str, image: int) -> tuple[Tensor | None, dict[str, Any]]:
    """Draw a training crop of an unlabeled image; nothing random outside is touched.

    Args:
        dataset (MutualDataset): Of the run.
        peer (str): Any peer; all are shown the same crop.
        image (int): Number of the image.

    Returns:
        tuple: The labeler's view, uint8 (3, H, W), None if the pipeline makes one view only; and the sample with the
        learner's as ``inputs``.
    """
    item = dataset[Draw(peer, image, image, ONLINE)]
    sample = item['data_samples']
    if WEAK_VIEW not in sample:
        return None, item
    view = sample.pop(WEAK_VIEW)
    return (view.data if isinstance(view, PixelData) else view), item


def taught_online(
    model: DynamicMutualTraining, view: Tensor, item: dict[str, Any]
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, Tensor]]:
    """Label a crop as an iteration of an online phase does, by the weights that the peers hold.

    A share of each class is one of this crop, where an iteration takes it of a whole batch.

    Args:
        model (DynamicMutualTraining): In evaluation mode.
        view (Tensor): What labelers see.
        item (dict): What learners see.

    Returns:
        tuple: Label and confidence, (H, W), of each labeler, and the logits (C, H, W) of each learner, by name.
    """
    labels = {}
    for name in set(model.labelers.values()):
        sample = item['data_samples'].clone()
        model.kind.label_online(model.bare_peers[name], [view], [sample], model.online_label_ratio)
        label, confidence = sample.gt_sem_seg.data[0], sample.pseudo_confidence.data[0]
        labels[name] = label.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy()
    logits = {}
    for name, peer in model.bare_peers.items():
        shape = tuple(item['inputs'].shape[1:])
        sample = item['data_samples'].new(metainfo={'img_shape': shape, 'ori_shape': shape}, data={})
        (predicted,) = forward_crops(peer, {'inputs': [item['inputs']], 'data_samples': [sample]})
        logits[name] = predicted.logits[0][:, *predicted.windows[0]]
    return labels, logits
