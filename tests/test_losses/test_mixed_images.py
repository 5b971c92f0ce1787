"""The loss of images that MixUp has blended, and of whole images in general."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.mixing import Batch, blend
from mmdmt.method.weights import GROUND_TRUTH, ramp_up
from mmdmt.mixes import MixUp, build_mixes

LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.5, 1.0], [1.0, 1.0, 0.0]])
LABEL = torch.tensor([0, 2, 2, 1])
CONFIDENCE = torch.tensor([0.9, 0.6, GROUND_TRUTH, GROUND_TRUTH])


def mixed_loss(loss, logits, weights, share, partners):
    """Blend labels and weights, and compute the loss of the mixed images."""
    batch = Batch(torch.zeros(4, 3, 1, 1), F.one_hot(LABEL, 3).float(), CONFIDENCE, weights)
    mixed = blend(batch, share, partners)
    with loss.pseudo_targets(mixed.confidence, mixed.weight):
        return loss(logits, mixed.label, avg_factor=4)


def test_the_mixed_loss_is_the_weighted_mean_over_both_labels():
    loss = DynamicMutualLoss(gamma_agree=2, gamma_disagree=2)
    unmixed = torch.tensor([[1.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    _, weights = loss.weigh(unmixed, LABEL, CONFIDENCE)
    agrees = math.e / (math.e + 2)
    # The second image: the learner is 0.987 sure of another class, its labeler 0.6 of this one.
    torch.testing.assert_close(weights, torch.tensor([agrees**2, 0, 1, 1]))
    partners = torch.tensor([1, 2, 3, 0])
    expected = 0.0
    for i, j in enumerate(partners.tolist()):
        weight = 0.75 * weights[i] + 0.25 * weights[j]
        own, partner = (F.cross_entropy(LOGITS[i : i + 1], LABEL[k : k + 1]) for k in (i, j))
        expected += weight * (0.75 * own + 0.25 * partner) / 4
    torch.testing.assert_close(mixed_loss(loss, LOGITS, weights, 0.75, partners), expected)


def test_images_scores_and_weights_are_mixed_in_one_share_and_the_image_itself_stays_the_greater_part():
    shares = []
    for seed in range(200):
        np.random.seed(seed)
        batch = Batch(torch.arange(5.0).view(5, 1, 1, 1), torch.eye(5), torch.full((5,), 0.9), torch.arange(5.0))
        mixed = MixUp()(batch, [3, 4], [0, 1, 2], 5)
        torch.testing.assert_close(mixed.inputs.flatten(), mixed.label @ torch.arange(5.0))
        torch.testing.assert_close(mixed.weight, mixed.inputs.flatten())
        torch.testing.assert_close(mixed.label.sum(1), torch.ones(5))
        assert mixed.confidence is batch.confidence
        shares.append(mixed.label.diagonal().min().item())
    assert min(shares) >= 0.5
    assert min(shares) < 0.6 < 0.9 < max(shares) <= 1


def test_exponents_grow_to_their_full_value_during_a_phase():
    assert [ramp_up(4, 1.0, 5), ramp_up(4, 0.1, 0)] == [4, 4]
    assert ramp_up(4, 0.5, 5) == pytest.approx(4 * math.exp(-1.25))
    loss = DynamicMutualLoss(gamma_agree=4, gamma_disagree=4, ramp=5)
    loss.progress = 0.5
    _, weights = loss.weigh(LOGITS[:1], LABEL[:1], CONFIDENCE[:1])
    torch.testing.assert_close(weights, LOGITS[:1].softmax(1)[:, 0] ** (4 * math.exp(-1.25)))


def test_two_means_of_images_without_a_mixture_and_with_one():
    settings = {'gamma_agree': 1, 'gamma_disagree': 1, 'pseudo_weight': 0.5}
    entropy = F.cross_entropy(LOGITS, LABEL, reduction='none')
    loss = DynamicMutualLoss(**settings)
    with loss.pseudo_targets(CONFIDENCE):
        value = loss(LOGITS, LABEL)
    share = loss.counts['pseudo_share']
    _, weights = loss.weigh(LOGITS, LABEL, CONFIDENCE)
    torch.testing.assert_close(value, entropy[2:].mean() + 0.5 * (weights * entropy)[:2].mean())
    weights = loss.weights_to_mix(weights, CONFIDENCE)
    torch.testing.assert_close(mixed_loss(loss, LOGITS, weights, 1.0, torch.arange(4)), value)
    assert loss.counts['pseudo_share'] == share < 1 / 3


def test_class_255_is_a_class_like_others_where_a_classifier_learns():
    loss = DynamicMutualLoss(gamma_agree=1, gamma_disagree=1)
    loss.ignore_index = -100
    logits, label = torch.randn(2, 1000), torch.tensor([255, 3])
    torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))
    with loss.pseudo_targets(torch.full((2,), GROUND_TRUTH)):
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))


def test_a_mix_of_the_other_space_is_refused():
    with pytest.raises(ValueError, match='mixes labels of images, but the peers learn labels of pixels: drop it'):
        build_mixes([{'type': 'mmdmt.MixUp'}], 'pixels')
    with pytest.raises(ValueError, match='mixes labels of pixels, but'):
        build_mixes([{'type': 'mmdmt.CutMix'}], 'images')
    with pytest.raises(ValueError, match=r'alpha=0\.0 of MixUp'):
        build_mixes([{'type': 'mmdmt.MixUp', 'alpha': 0.0}], 'images')
