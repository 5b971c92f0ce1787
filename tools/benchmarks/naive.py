"""Do in the obvious way what the package does, to compare with; the package uses none of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn


def naive_loss(logits: Tensor, label: Tensor, confidence: Tensor, gamma: float = 5.0) -> tuple[Tensor, dict[str, int]]:
    """Compute the dynamic mutual loss case by case: boolean indexing for every case, ``.item()`` for every count.

    Returns the scalar loss, and how many pixels are valid, disagree, and are won by the learner.
    """
    valid = label != 255
    with torch.no_grad():
        probability = logits.softmax(dim=1)
        own_confidence, prediction = probability.max(dim=1)
        index = label.clone()
        index[~valid] = 0
        label_probability = probability.gather(1, index.unsqueeze(1)).squeeze(1)
        pseudo = valid & torch.isfinite(confidence)
        agree = pseudo & (prediction == label)
        disagree = pseudo & (prediction != label)
        wins = disagree & (own_confidence > confidence)
        weights = torch.ones_like(label_probability)
        weights[agree] = label_probability[agree] ** gamma
        weights[disagree] = label_probability[disagree] ** gamma
        weights[wins] = 0
        counts = {
            'pixels': int(valid.sum().item()),
            'disagree': int(disagree.sum().item()),
            'learner_wins': int(wins.sum().item()),
        }
    entropy = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    return (entropy[valid] * weights[valid]).sum() / counts['pixels'], counts


@torch.no_grad()
def naive_labeling(peers: Mapping[str, nn.Module], dataset: Any, root: Path, ratio: float) -> dict[str, np.ndarray]:
    """Label images in two passes: one for the thresholds, one for the labels.

    ``root`` gets one folder for each peer, with a float32 ``.npy`` of two channels an image, label (255 where dropped)
    and confidence. Returns the thresholds of each peer; ``inf`` for a class never predicted.
    """
    thresholds = {}
    for name, peer in peers.items():
        pools: list[list[np.ndarray]] = [[] for _ in dataset.metainfo['classes']]
        for number in range(dataset.num_unlabeled()):
            label, confidence = _predict(peer, dataset.labeling_item(number))
            for pool, of_class in zip(pools, range(len(pools)), strict=True):
                pool.append(confidence[label == of_class])
        thresholds[name] = np.array([naive_threshold(np.concatenate(pool), ratio) for pool in pools], np.float32)
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(dataset.num_unlabeled()):
            label, confidence = _predict(peer, dataset.labeling_item(number))
            label[confidence < thresholds[name][label]] = 255
            np.save(root / name / f'{number}.npy', np.stack([label.astype(np.float32), confidence], axis=-1))
    return thresholds


def naive_threshold(confidences: np.ndarray, ratio: float) -> float:
    """Sort all confidences of a class, and look up the one that the ratio asks for."""
    if not confidences.size:
        return np.inf
    kept = int(confidences.size * ratio)
    if kept < 1 or ratio >= 1:
        return float(confidences.min())
    return float(np.sort(confidences)[::-1][min(kept, confidences.size - 1)])


def _predict(peer: nn.Module, item: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    data = pseudo_collate([{**item, 'data_samples': item['data_samples'].new()}])
    batch = peer.data_preprocessor(data, False)
    logits = peer(**batch, mode='predict')[0].seg_logits.data
    confidence, label = logits.softmax(dim=0).max(dim=0)
    return label.numpy(), confidence.numpy()
