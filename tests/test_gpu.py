"""What only a GPU can show; `make gpu` runs these, and they are skipped where there is none."""

import shutil

import pytest
import torch
from mmengine.runner import Runner
from toys.segmentation import run_config

from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.labels.pixels.codec import decode
from mmdmt.labels.pixels.recorder import LabeledImages, PixelRecorder, _encoded, _HostCopy, most_probable
from mmdmt.method.confidence_levels import LOWER_EDGES, quantize_tensor
from mmdmt.models import DynamicMutualLoss

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')]
WHOLE = (slice(None), slice(None))


def test_levels_are_those_of_the_cpu():
    confidence = torch.cat(
        [torch.from_numpy(LOWER_EDGES.copy()), torch.rand(100_000), torch.tensor([float('nan'), 2.0])]
    )
    assert torch.equal(quantize_tensor(confidence.cuda()).cpu(), quantize_tensor(confidence))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_loss_and_gradient_are_those_of_the_cpu(dtype):
    logits = torch.randn(2, 5, 16, 16).to(dtype)
    label, confidence = torch.randint(0, 5, (2, 16, 16)), torch.rand(2, 16, 16)
    results = []
    for device in ('cpu', 'cuda'):
        leaf, loss = logits.detach().to(device).requires_grad_(), DynamicMutualLoss()
        with loss.pseudo_targets(confidence.to(device)):
            value = loss(leaf, label.to(device))
        value.backward()
        results.append((value.detach().float().cpu(), leaf.grad.float().cpu()))
    torch.testing.assert_close(results[0], results[1], rtol=1e-2 if dtype != torch.float32 else 1e-5, atol=1e-4)


def test_labels_are_copied_before_they_are_encoded():
    labeled = most_probable(torch.randn(3, 7, 64, 64, device='cuda'))
    copy = _HostCopy(labeled)
    torch.randn(64, 1024, 1024, device='cuda').sum()  # the device goes on
    for number in range(3):
        label, levels = decode(_encoded(number, copy, number, WHOLE))
        assert torch.equal(torch.from_numpy(label), labeled.labels[number].cpu())
        assert torch.equal(torch.from_numpy(levels.view('int16')), labeled.levels[number].cpu())


def test_histogram_and_bank_are_those_of_the_cpu(tmp_path):
    labeled = most_probable(torch.randn(2, 4, 32, 32))
    for device in ('cpu', 'cuda'):
        there = LabeledImages(*(tensor.to(device) for tensor in labeled))
        with PixelRecorder(tmp_path / device, 2, 4) as recorder:
            recorder.count(there, [WHOLE, (slice(0, 20), slice(0, 30))])
            recorder.store([0, 1], there, [WHOLE, (slice(0, 20), slice(0, 30))])
        recorder.complete(0.5, run='r', phase=1, peer='left', weights='', names='')
    banks = [PseudoLabelBank(tmp_path / device) for device in ('cpu', 'cuda')]
    assert banks[0].manifest == banks[1].manifest


ONLINE = [
    {'iters': 3, 'labeled': 4},
    {'iters': 6, 'labeled': 2, 'pseudo': 2, 'online': {'labeler': 'average', 'min_confidence': 0.3}},
]
AVERAGE = {'type': 'EMAHook', 'ema_type': 'MomentumAnnealingEMA', 'momentum': 0.1, 'gamma': 1, 'update_buffers': True}


def _train(root, work_dir, dtype, online, **settings):
    config = run_config(root, work_dir, **settings)
    if dtype != 'float32':
        config.optim_wrapper.update(type='AmpOptimWrapper', dtype=dtype)
    if online:
        config.custom_hooks[0].phases = ONLINE
        config.custom_hooks.append(AVERAGE)
        config.model.mixes = [{'type': 'mmdmt.CutMix', 'prob': 1.0}, {'type': 'mmdmt.ClassMix'}]
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


@pytest.mark.parametrize('online', [False, True], ids=['banks', 'online'])
@pytest.mark.parametrize('dtype', ['float32', 'float16', 'bfloat16'])
def test_a_run_is_resumed_where_it_was(shapes_folder, tmp_path, dtype, online):
    whole, resumed = tmp_path / 'whole', tmp_path / 'resumed'
    expected = _train(shapes_folder, whole, dtype, online)
    assert all(weight.is_cuda and weight.isfinite().all() for weight in expected.model.parameters())
    resumed.mkdir()
    checkpoint = shutil.copy(whole / 'iter_6.pth', resumed)
    got = _train(shapes_folder, resumed, dtype, online, resume=True, load_from=str(checkpoint))
    assert got.iter == expected.iter == 9
    # The device adds in another order each time, so not to the bit.
    torch.testing.assert_close(got.model.state_dict(), expected.model.state_dict(), rtol=1e-2, atol=1e-3)
