import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmdmt.method.weights import ORACLE, RULES
from mmdmt.models import DynamicMutualLoss

CASES = json.loads((Path(__file__).parents[1] / 'data' / 'dynamic_losses.json').read_text())


def tensors_of(case):
    images, height, width, classes = case['shape']
    logits = torch.tensor(case['logits']).reshape(images, height, width, classes).permute(0, 3, 1, 2).contiguous()
    label = torch.tensor(case['label']).reshape(images, height, width)
    confidence = torch.tensor([float('inf') if c is None else c for c in case['confidence']])
    return logits.requires_grad_(), label, confidence.reshape(images, height, width)


def weighted(loss, logits, label, confidence, weights=None, **kwargs):
    """The loss of labels of which some are pseudo labels."""
    with loss.pseudo_targets(confidence, weights):
        return loss(logits, label, **kwargs)


@pytest.mark.parametrize(
    'case', CASES, ids=lambda case: f'{case["rule"]}-{case["gamma_agree"]}-{case["gamma_disagree"]}'
)
def test_loss_gradient_and_counts_equal_those_worked_out_by_hand(case):
    assert 0 < case['learner_wins'] < case['disagree']
    assert 255 in case['label']
    logits, label, confidence = tensors_of(case)
    loss = DynamicMutualLoss(case['gamma_agree'], case['gamma_disagree'], rule=case['rule'])
    value = weighted(loss, logits, label, confidence, ignore_index=255)
    value.backward()
    images, height, width, classes = case['shape']
    gradient = torch.tensor(case['gradient']).reshape(images, height, width, classes).permute(0, 3, 1, 2)
    torch.testing.assert_close(value.item(), case['loss'], rtol=1e-5, atol=0)
    torch.testing.assert_close(logits.grad, gradient, rtol=1e-5, atol=1e-8)
    for count in ('pixels', 'disagree', 'learner_wins'):
        assert loss.counts[count].item() == case[count]
    torch.testing.assert_close(loss.counts['weight'].item(), case['weight'], rtol=1e-5, atol=0)
    # Whole images are weighted alike.
    rows = logits.detach().permute(0, 2, 3, 1).reshape(-1, classes)
    value = weighted(loss, rows, label.flatten(), confidence.flatten())
    torch.testing.assert_close(value.item(), case['loss'], rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ('rule', 'weights'),
    [
        ('mutual', [0.8**2, 0.4**3, 0, 1, 0]),
        ('naive', [0.8**2, 0.4**2, 0.1**2, 1, 0]),
        ('share', [2 / 3, 2 / 3, 2 / 3, 1, 0]),
        ('agreement', [1, 0, 0, 1, 0]),
        ('confidence', [0.95**2, 0.9**2, 0.5**2, 1, 0]),
    ],
)
def test_each_rule_weighs_as_it_says(rule, weights):
    # The learner agrees; disagrees, less sure; wins; ground truth; ignored.
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9], [0.1, 0.9], [0.5, 0.5]]).log()
    loss = DynamicMutualLoss(2.0, 3.0, rule=rule, share_threshold=0.9)
    confidence = torch.tensor([0.95, 0.9, 0.5, float('inf'), 0.9])
    _, found = loss.weigh(logits, torch.tensor([0, 0, 0, 0, 255]), confidence)
    torch.testing.assert_close(found, torch.tensor(weights, dtype=torch.float32))


def test_outside_the_context_it_is_plain_cross_entropy_even_after_an_error_inside():
    loss = DynamicMutualLoss(loss_weight=0.4)
    logits, label, confidence = tensors_of(CASES[0])

    def fail():
        with loss.pseudo_targets(confidence):
            raise KeyError

    pytest.raises(KeyError, fail)
    torch.testing.assert_close(loss(logits, label), 0.4 * F.cross_entropy(logits, label, ignore_index=255))
    truth = torch.full(label.shape, float('inf'))  # counts fully, in the denominator, too
    torch.testing.assert_close(weighted(loss, logits, label, truth), loss(logits, label))


LOGITS = torch.tensor([[5.0, 0.0], [0.5, 0.0], [0.0, 5.0], [0.0, 5.0]])
LABEL = torch.tensor([0, 0, 0, 255])  # of the labeler, of the labeler, ground truth, ignored
SURE = torch.tensor([0.95, 0.6, float('inf'), 0.5])


def entropies(*pixels):
    return sum(F.cross_entropy(LOGITS[[p]], LABEL[[p]]).item() for p in pixels)


@pytest.mark.parametrize(
    ('settings', 'floor', 'pixels', 'number'),
    [
        ({'min_confidence': 0.9}, 0.0, (0, 2), 3),
        ({'min_confidence': 0.5}, 0.9, (0, 2), 3),  # of loss and phase the higher floor counts
        ({'min_confidence': 0.9, 'average_over': 'kept'}, 0.0, (0, 2), 2),
        ({'min_confidence': 1.0, 'average_over': 'kept'}, 0.0, (2,), 1),
        ({'average_over': 'kept'}, 0.0, (0, 1, 2), 3),
    ],
)
def test_below_the_floor_a_pseudo_label_weighs_nothing(settings, floor, pixels, number):
    loss = DynamicMutualLoss(0, 0, **settings)
    loss.floor = floor
    assert weighted(loss, LOGITS, LABEL, SURE).item() == pytest.approx(entropies(*pixels) / number)
    assert loss.counts['weight'] == len(pixels)


def test_class_weights_are_those_of_torch_with_and_without_pseudo_labels():
    weights = [0.3, 2.0]
    truth = F.cross_entropy(LOGITS, LABEL, weight=torch.tensor(weights), ignore_index=255)
    loss = DynamicMutualLoss(0, 0, class_weight=weights, weigh_pseudo_classes=True)
    torch.testing.assert_close(loss(LOGITS, LABEL), truth)
    torch.testing.assert_close(weighted(loss, LOGITS, LABEL, SURE), truth)
    assert not loss.state_dict()


@pytest.mark.parametrize('of_pseudo', [False, True])
def test_class_weights_multiply_the_gradient_of_weighted_labels(of_pseudo):
    logits, label, confidence = tensors_of(CASES[0])
    weights = torch.arange(1.0, logits.shape[1] + 1)
    gammas = CASES[0]['gamma_agree'], CASES[0]['gamma_disagree']
    loss = DynamicMutualLoss(*gammas, class_weight=weights.tolist(), weigh_pseudo_classes=of_pseudo)
    logits.requires_grad_()
    weighted(loss, logits, label, confidence).backward()
    _, by_rule = loss.weigh(logits, label, confidence)
    valid = label != 255
    factor = weights[label.where(valid, 0)] * valid
    if not of_pseudo:
        factor = factor.where(confidence.isinf() | ~valid, 1)
    entropy = F.cross_entropy(logits, label.where(valid, 0), reduction='none')
    (expected,) = torch.autograd.grad((entropy * factor * by_rule).sum() / factor.sum(), logits)
    torch.testing.assert_close(logits.grad, expected)
    of_each = weighted(loss, logits, label, confidence, reduction_override='none')
    torch.testing.assert_close(of_each, (entropy * factor * by_rule).detach())


@pytest.mark.parametrize('pseudo_weight', [None, 2.0])
def test_nothing_valid_gives_zero_and_not_nan(pseudo_weight):
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    value = weighted(
        DynamicMutualLoss(pseudo_weight=pseudo_weight),
        logits,
        torch.full((1, 2, 2), 255),
        torch.full((1, 2, 2), 0.9),
    )
    value.backward()
    assert value.item() == 0
    assert logits.grad.abs().max() == 0


def test_half_precision_logits_are_compared_in_float32():
    # In bfloat16 both probabilities would round to 1 and the learner could not win.
    logits = torch.tensor([[12.0, 0.0, 0.0]]).to(torch.bfloat16)
    loss = DynamicMutualLoss()
    weighted(loss, logits, torch.tensor([1]), torch.tensor([0.9999]))
    assert loss.counts['learner_wins'].item() == 1


def test_a_confidence_of_another_shape_is_refused():
    logits, label = torch.randn(1, 3, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long)
    with pytest.raises(ValueError, match=r'\(1, 2, 2\).*\(1, 4, 4\)'):
        weighted(DynamicMutualLoss(), logits, label, torch.ones(1, 2, 2))


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ({'rule': 'fliep'}, "'fliep'.*'mutual', 'naive', 'flip', 'share'"),
        ({'gamma_agree': -1}, 'gamma_agree=-1'),
        ({'share_threshold': 90}, 'share_threshold=90'),
        ({'min_confidence': -0.1}, 'min_confidence=-0.1'),
        ({'average_over': 'all'}, "average_over='all'"),
        ({'pseudo_weight': -1}, 'pseudo_weight=-1'),
    ],
)
def test_wrong_settings_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        DynamicMutualLoss(**arguments)


def two_means(logits, label, confidence, gamma, floor=0.0, kept=False, pseudo_weight=0.5):
    """The mean over labeled images plus so many times that over pseudo-labeled ones, pixel by pixel in NumPy."""
    sums, counts = [0.0, 0.0], [0, 0]
    for image, of_image, sure in zip(logits.detach().double().numpy(), label.numpy(), confidence.numpy(), strict=True):
        side = int(np.isfinite(sure).any())
        for place in np.ndindex(of_image.shape):
            y, c = of_image[place], sure[place]
            if y == 255:
                continue
            exponentials = np.exp(image[:, *place] - image[:, *place].max())
            p = exponentials / exponentials.sum()
            low = np.isfinite(c) and c < floor
            counts[side] += not (low and kept)
            loses = p.argmax() != y and p.max() > c
            weight = 1.0 if np.isinf(c) else 0.0 if loses or low else p[y] ** gamma
            sums[side] += -weight * np.log(p[y])
    return sums[0] / max(counts[0], 1) + pseudo_weight * sums[1] / max(counts[1], 1)


@pytest.mark.parametrize(('floor', 'over'), [(0.0, 'valid'), (0.7, 'valid'), (0.7, 'kept')])
def test_two_means_equal_those_worked_out_pixel_by_pixel(floor, over):
    logits, label = torch.randn(4, 3, 5, 4), torch.randint(3, (4, 5, 4))
    confidence = torch.rand(4, 5, 4) * 0.6 + 0.4
    confidence[:2] = float('inf')  # labeled images
    confidence[2, :3] = float('inf')  # ground truth that a mix has pasted on counts to the mean of its image
    label[0, :2] = label[3, 1] = 255
    loss = DynamicMutualLoss(1.0, 1.0, min_confidence=floor, average_over=over, pseudo_weight=0.5)
    value = weighted(loss, logits, label, confidence)
    expected = two_means(logits, label, confidence, 1.0, floor, over == 'kept')
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_with_one_side_alone_the_other_mean_is_zero_and_not_nan():
    logits, label = torch.randn(2, 3, 2, 2), torch.randint(3, (2, 2, 2))
    loss = DynamicMutualLoss(0, 0, pseudo_weight=2.0)
    for confidence, factor in ((0.9, 2.0), (float('inf'), 1.0)):
        value = weighted(loss, logits, label, torch.full((2, 2, 2), confidence))
        torch.testing.assert_close(value, factor * F.cross_entropy(logits, label))
        assert loss.counts['pseudo_share'] == float(confidence < 1)


@pytest.mark.parametrize(('pseudo_weight', 'expected'), [(None, 1.4 / 2.4), (1.0, 0.7 / 1.7), (0.0, 0.0)])
def test_the_share_of_pseudo_labels_is_that_of_their_weights(pseudo_weight, expected):
    logits = torch.log(torch.tensor([[0.8, 0.2], [0.6, 0.4], [0.5, 0.5]]))  # weights .8, .6 and 1 of ground truth
    loss = DynamicMutualLoss(1.0, 1.0, pseudo_weight=pseudo_weight)
    weighted(loss, logits, torch.tensor([0, 0, 1]), torch.tensor([0.9, 0.9, float('inf')]))
    assert loss.counts['pseudo_share'].item() == pytest.approx(expected)


def test_an_oracle_counts_among_pseudo_labels_and_is_never_doubted():
    logits, label = torch.randn(2, 3, 4, 4) * 5, torch.randint(3, (2, 4, 4))
    confidence = torch.stack([torch.full((4, 4), float('inf')), torch.full((4, 4), ORACLE)])
    for rule in RULES:
        loss = DynamicMutualLoss(5.0, 5.0, rule=rule, min_confidence=0.9, pseudo_weight=0.5)
        with loss.pseudo_targets(confidence):
            value = loss(logits, label)
        truth, taught = (F.cross_entropy(logits[[i]], label[[i]]) for i in (0, 1))
        torch.testing.assert_close(value, truth + 0.5 * taught)
        assert loss.counts['pseudo_share'].item() == pytest.approx(1 / 3)


def test_weights_found_elsewhere_take_the_place_of_the_rule_and_those_of_a_pixel_sampler_multiply():
    logits, label, confidence = tensors_of(CASES[0])
    loss, weights = DynamicMutualLoss(5.0, 5.0), torch.rand(label.shape)
    half = weighted(loss, logits, label, confidence, weights, weight=torch.full(label.shape, 0.5), avg_factor=None)
    value = weighted(loss, logits, label, confidence, weights)
    torch.testing.assert_close(half, value / 2)
    entropy = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    torch.testing.assert_close(value, (entropy * weights).sum() / (label != 255).sum())
    torch.testing.assert_close(loss.counts['weight'], (weights * (label != 255)).sum())
