import torch

from mmdmt.method.weights import dynamic_mutual_weights

INFINITY = float('inf')


def weights_of(probabilities, label, confidence, gamma_agree=5.0, gamma_disagree=3.0):
    """Weigh one pixel with the given class probabilities."""
    logits = torch.tensor(probabilities).log().reshape(1, -1, 1, 1)
    return dynamic_mutual_weights(
        logits, torch.tensor([[[label]]]), torch.tensor([[[confidence]]]), gamma_agree, gamma_disagree
    ).item()


def test_agreement_is_weighted_by_gamma_agree():
    torch.testing.assert_close(weights_of([0.5, 0.3, 0.2], label=0, confidence=0.9), 0.5**5, rtol=1e-5, atol=0)


def test_disagreement_is_weighted_by_gamma_disagree():
    torch.testing.assert_close(weights_of([0.5, 0.3, 0.2], label=1, confidence=0.9), 0.3**3, rtol=1e-5, atol=0)


def test_learner_wins_pixels_are_dropped():
    assert weights_of([0.5, 0.3, 0.2], label=1, confidence=0.4) == 0


def test_a_tie_goes_to_the_labeler():
    logits = torch.zeros(1, 4, 1, 1)  # softmax is 1/4 exactly, its argmax class 0
    weight = dynamic_mutual_weights(logits, torch.tensor([[[2]]]), torch.tensor([[[0.25]]]), 5.0, 2.0)
    assert weight.item() == 0.25**2


def test_ground_truth_weighs_one_however_sure_the_learner():
    assert weights_of([0.999, 0.0005, 0.0005], label=1, confidence=INFINITY) == 1


def test_ignored_pixels_weigh_nothing():
    assert weights_of([0.5, 0.3, 0.2], label=255, confidence=0.9) == 0
    assert weights_of([0.5, 0.3, 0.2], label=255, confidence=INFINITY) == 0


def test_both_gammas_zero_switch_the_rule_off():
    assert weights_of([0.5, 0.3, 0.2], label=1, confidence=0.4, gamma_agree=0.0, gamma_disagree=0.0) == 1


def test_one_gamma_zero_keeps_the_zero_rule():
    assert weights_of([0.5, 0.3, 0.2], label=1, confidence=0.4, gamma_disagree=0.0) == 0
    assert weights_of([0.5, 0.3, 0.2], label=1, confidence=0.9, gamma_disagree=0.0) == 1


def test_weights_carry_no_gradient_and_are_float32():
    logits = torch.randn(2, 3, 4, 4, dtype=torch.float16, requires_grad=True)
    weights = dynamic_mutual_weights(logits, torch.zeros(2, 4, 4, dtype=torch.long), torch.rand(2, 4, 4), 5.0, 5.0)
    assert not weights.requires_grad
    assert weights.dtype == torch.float32
    assert weights.shape == (2, 4, 4)


def test_images_are_weighted_as_pixels_are():
    logits, label, confidence = torch.randn(6, 3, 1, 1), torch.randint(3, (6, 1, 1)), torch.rand(6, 1, 1)
    of_pixels = dynamic_mutual_weights(logits, label, confidence, 4.0, 4.0)
    of_images = dynamic_mutual_weights(logits[..., 0, 0], label[..., 0, 0], confidence[..., 0, 0], 4.0, 4.0)
    # Two layouts, two kernels: their softmax may differ in the last bit.
    torch.testing.assert_close(of_pixels[..., 0, 0], of_images)


def test_another_ignore_index_is_respected():
    logits = torch.randn(1, 3, 2, 2)
    label = torch.tensor([[[0, 1], [9, 2]]])
    weights = dynamic_mutual_weights(logits, label, torch.full((1, 2, 2), INFINITY), 5.0, 5.0, ignore_index=9)
    assert weights.tolist() == [[[1, 1], [0, 1]]]
