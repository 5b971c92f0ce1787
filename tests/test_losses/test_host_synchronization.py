"""The losses never wait for a result: on a GPU that would let it run dry in every iteration.

On a CPU the computation is followed with tensors that have shapes but no values (torch's fake tensors): whatever needs
a value - ``.item()``, ``if tensor``, boolean indexing - fails there.
"""

import contextlib

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.weights import RULES

DEVICES = ['fake', pytest.param('cuda', marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU'))]


@contextlib.contextmanager
def no_values(device):
    """Make everything fail that waits for a value; yield the device for tensors."""
    if device == 'fake':
        with FakeTensorMode():
            yield 'cpu'
    else:
        torch.cuda.set_sync_debug_mode('error')
        try:
            yield device
        finally:
            torch.cuda.set_sync_debug_mode('default')


def pixels(device):
    """Logits, labels and confidences of two images; made without waiting."""
    logits = torch.randn(2, 4, 8, 8, device=device, requires_grad=True)
    label = torch.randint(0, 4, (2, 8, 8), device=device)
    return logits, label, torch.rand(2, 8, 8, device=device)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('pseudo_weight', [None, 1.0])
@pytest.mark.parametrize('rule', RULES)
def test_the_loss_of_pixels_waits_for_nothing(device, rule, pseudo_weight, dtype):
    loss = DynamicMutualLoss(gamma_agree=5, gamma_disagree=3, rule=rule, loss_weight=0.4, pseudo_weight=pseudo_weight)
    with no_values(device) as place:
        logits, label, confidence = pixels(place)
        with loss.pseudo_targets(confidence):
            loss(logits.to(dtype), label).backward()
        assert logits.grad.shape == logits.shape
        loss(logits, label).backward()


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('pseudo_weight', [None, 1.0])
def test_the_loss_of_mixed_images_waits_for_nothing(device, pseudo_weight):
    loss = DynamicMutualLoss(pseudo_weight=pseudo_weight)
    with no_values(device) as place:
        logits = torch.randn(8, 4, device=place, requires_grad=True)
        label, confidence = torch.randint(0, 4, (8,), device=place), torch.rand(8, device=place)
        _, weights = loss.weigh(logits, label, confidence)
        with loss.pseudo_targets(confidence, loss.weights_to_mix(weights, confidence)):
            loss(logits, torch.rand(8, 4, device=place)).backward()
