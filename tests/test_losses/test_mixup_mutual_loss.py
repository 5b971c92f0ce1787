import math

import pytest
import torch
import torch.nn.functional as F

from mmdmt.losses import Mixture, MixupMutualLoss
from mmdmt.method.weights import GROUND_TRUTH, ramp_up

LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.5, 1.0], [1.0, 1.0, 0.0]])
LABEL = torch.tensor([0, 2, 2, 1])
CONFIDENCE = torch.tensor([0.9, 0.6, GROUND_TRUTH, GROUND_TRUTH])


def test_the_mixed_loss_is_the_weighted_mean_over_both_labels():
    loss = MixupMutualLoss(gamma_agree=2, gamma_disagree=2, ramp=0)
    unmixed = torch.tensor([[1.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    _, weights = loss.weigh(unmixed, LABEL, CONFIDENCE)
    agrees = math.e / (math.e + 2)
    # The second image: the learner is 0.987 sure of another class, its labeler 0.6 of this one.
    torch.testing.assert_close(weights, torch.tensor([agrees**2, 0, 1, 1]))
    mixture = Mixture(0.75, torch.tensor([1, 2, 3, 0]))
    with loss.mixed_targets(LABEL, weights, mixture):
        value = loss(LOGITS, torch.zeros(4, 3), avg_factor=4)
    expected = 0.0
    for i, j in enumerate(mixture.partners.tolist()):
        weight = 0.75 * weights[i] + 0.25 * weights[j]
        own, partner = (F.cross_entropy(LOGITS[i : i + 1], LABEL[k : k + 1]) for k in (i, j))
        expected += weight * (0.75 * own + 0.25 * partner) / 4
    torch.testing.assert_close(value, expected)


def test_outside_of_contexts_it_is_the_plain_cross_entropy():
    loss = MixupMutualLoss(loss_weight=0.5)
    torch.testing.assert_close(loss(LOGITS, LABEL, avg_factor=4), 0.5 * F.cross_entropy(LOGITS, LABEL))
    scores = torch.full((4, 3), 1 / 3)
    torch.testing.assert_close(loss(LOGITS, scores), 0.5 * F.cross_entropy(LOGITS, scores))


def test_the_image_itself_stays_the_greater_part():
    shares = [Mixture.draw(5, 0.75, torch.device('cpu')).share for _ in range(200)]
    assert min(shares) >= 0.5
    assert min(shares) < 0.6 < 0.9 < max(shares) <= 1


def test_images_and_weights_are_mixed_in_the_same_shares():
    mixture = Mixture(0.8, torch.tensor([1, 0]))
    torch.testing.assert_close(mixture(torch.tensor([0.0, 10.0])), torch.tensor([2.0, 8.0]))
    torch.testing.assert_close(mixture(torch.tensor([[0.0], [10.0]])), torch.tensor([[2.0], [8.0]]))


def test_exponents_grow_to_their_full_value_during_a_phase():
    assert ramp_up(4, 1.0, 5) == 4
    assert ramp_up(4, 0.5, 5) == pytest.approx(4 * math.exp(-1.25))
    assert ramp_up(4, 0.1, 0) == 4
    loss = MixupMutualLoss(gamma_agree=4, gamma_disagree=4, ramp=5)
    loss.progress = 0.5
    _, weights = loss.weigh(LOGITS[:1], LABEL[:1], CONFIDENCE[:1])
    torch.testing.assert_close(weights, LOGITS[:1].softmax(1)[:, 0] ** (4 * math.exp(-1.25)))


def test_curriculum_labeling_weighs_nothing():
    _, weights = MixupMutualLoss(gamma_agree=0, gamma_disagree=0).weigh(LOGITS, LABEL, CONFIDENCE)
    assert weights.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(('settings', 'words'), [({'mixup_alpha': 0.0}, 'mixup_alpha='), ({'ramp': -1}, 'ramp=-1')])
def test_settings_that_are_none_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        MixupMutualLoss(**settings)


def test_two_means_of_images_without_a_mixture_and_with_one():
    settings = {'gamma_agree': 1, 'gamma_disagree': 1, 'ramp': 0, 'pseudo_weight': 0.5}
    entropy = F.cross_entropy(LOGITS, LABEL, reduction='none')
    loss = MixupMutualLoss(**settings, mixup_alpha=None)
    with loss.pseudo_targets(CONFIDENCE):
        value = loss(LOGITS, LABEL)
    share = loss.counts['pseudo_share']
    _, weights = loss.weigh(LOGITS, LABEL, CONFIDENCE)
    torch.testing.assert_close(value, entropy[2:].mean() + 0.5 * (weights * entropy)[:2].mean())
    mixed = MixupMutualLoss(**settings)
    weighed = mixed.weigh(LOGITS, LABEL, CONFIDENCE)[1]
    with mixed.mixed_targets(LABEL, mixed.to_mix(weighed, CONFIDENCE), Mixture(1.0, torch.arange(4))):
        torch.testing.assert_close(mixed(LOGITS, LABEL), value)
    assert mixed.counts['pseudo_share'] == share < 1 / 3


def test_class_255_is_a_class_like_others():
    loss = MixupMutualLoss(gamma_agree=1, gamma_disagree=1, ramp=0, mixup_alpha=None)
    logits, label = torch.randn(2, 1000), torch.tensor([255, 3])
    torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))
    with loss.pseudo_targets(torch.full((2,), GROUND_TRUTH)):
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))
