"""What a training crop of an unlabeled image looks like to labeler and learner, to be drawn."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmdmt.method.draws import ONLINE, WEAK_VIEW, Draw
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.prediction import forward_crops


def views_of(dataset: Any, peer: str, image: int) -> tuple[Tensor | None, dict[str, Any]]:
    """Draw a training crop of an unlabeled image; nothing random outside is touched.

    Returns:
        tuple: The labeler's view, uint8 (3, H, W), None if the pipeline makes one view only; and the sample with the
        learner's as ``inputs``.
    """
    item = dataset[Draw(peer, image, image, ONLINE)]
    view = item['data_samples'].get(WEAK_VIEW)
    return None if view is None else view.data, item


def taught_online(
    model: DynamicMutualTraining, item: dict[str, Any]
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, np.ndarray]]:
    """Label a crop as an iteration of an online phase does, by the weights that the peers hold.

    A share of each class is one of this crop, where an iteration takes it of a whole batch or of many.

    Returns:
        tuple: Label and confidence of each learner, and the weights of its labels, each (H, W), by name.
    """
    assert model.online is not None
    labeling = replace(model.online, models=model.bare_peers, seen={})
    labels, weights = {}, {}
    for name, peer in model.bare_peers.items():
        loss = copy.copy(model.losses_of(name)[0])  # because weighing leaves counts behind
        loss.progress = 1.0
        sample = item['data_samples'].clone()
        replace(labeling, losses={name: loss}).label({name: {'inputs': [item['inputs']], 'data_samples': [sample]}})
        label, confidence = sample.gt_sem_seg.data, sample.pseudo_confidence.data
        labels[name] = label[0].to(torch.uint8).cpu().numpy(), confidence[0].cpu().numpy()
        if 'pseudo_weight' not in sample:
            shape = tuple(item['inputs'].shape[1:])
            seen = sample.new(metainfo={'img_shape': shape, 'ori_shape': shape}, data={})
            (predicted,) = forward_crops(peer, {'inputs': [item['inputs']], 'data_samples': [seen]})
            logits = predicted.logits[:, :, *predicted.windows[0]]
            _, of_rule = loss.weigh(logits, label, confidence, model.kind.ignored_label(peer))
        else:
            of_rule = sample.pseudo_weight.data
        weights[name] = of_rule[0].cpu().numpy()
    return labels, weights
