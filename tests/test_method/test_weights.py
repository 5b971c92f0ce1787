import pytest
import torch

from mmdmt.method.weights import compare, mutual_weights

INFINITY = float('inf')


def weights_of(logits, label, confidence, gamma_agree, gamma_disagree):
    return mutual_weights(compare(logits, label, confidence), gamma_agree, gamma_disagree)


@pytest.mark.parametrize(
    ('label', 'confidence', 'gammas', 'weight'),
    [
        (0, 0.9, (5.0, 3.0), 0.5**5),  # they agree
        (1, 0.9, (5.0, 3.0), 0.3**3),  # they disagree
        (1, 0.4, (5.0, 3.0), 0.0),  # the learner wins
        (2, INFINITY, (5.0, 3.0), 1.0),  # ground truth, however sure the learner
        (255, 0.9, (5.0, 3.0), 0.0),
        (255, INFINITY, (5.0, 3.0), 0.0),
        (1, 0.4, (0.0, 0.0), 1.0),  # both exponents zero switch the rule off
        (1, 0.4, (5.0, 0.0), 0.0),  # one does not
        (1, 0.9, (5.0, 0.0), 1.0),
    ],
)
def test_a_label_is_weighted_by_the_rule_of_the_paper(label, confidence, gammas, weight):
    logits = torch.tensor([0.5, 0.3, 0.2]).log().reshape(1, -1, 1, 1)
    found = weights_of(logits, torch.tensor([[[label]]]), torch.tensor([[[confidence]]]), *gammas)
    torch.testing.assert_close(found.item(), weight, rtol=1e-5, atol=0)


def test_a_tie_goes_to_the_labeler():
    logits = torch.zeros(1, 4, 1, 1)  # softmax is 1/4 exactly, its argmax class 0
    weight = weights_of(logits, torch.tensor([[[2]]]), torch.tensor([[[0.25]]]), 5.0, 2.0)
    assert weight.item() == 0.25**2


def test_weights_carry_no_gradient_and_are_float32():
    logits = torch.randn(2, 3, 4, 4, dtype=torch.float16, requires_grad=True)
    weights = weights_of(logits, torch.zeros(2, 4, 4, dtype=torch.long), torch.rand(2, 4, 4), 5.0, 5.0)
    assert not weights.requires_grad
    assert (weights.dtype, weights.shape) == (torch.float32, (2, 4, 4))
