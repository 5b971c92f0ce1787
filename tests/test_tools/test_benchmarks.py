"""The benchmark's measurements at toy size: they run, and what is compared computes the same. No times are judged."""

import json
import math
import mmap
from pathlib import Path

import numpy as np
import pytest
import torch
from toys.tools import load_tool

from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.losses.dynamic_mutual_loss import DynamicMutualLoss
from mmdmt.method.confidence_levels import dequantize, quantize

NAMES = (
    *('measure', 'naive', 'networks', 'loss', 'labeling', 'loader', 'iteration', 'phase', 'phases', 'bench'),
    *('gpu', 'gpu_wheels', 'load'),
)
TOY = {
    'loss_time': {'shape': (2, 5, 9, 7)},
    'loss_memory': {'shape': (2, 5, 9, 7)},
    'labeling_time': {'size': (32, 48), 'images': 2, 'width': 4},
    'bank_size': {'iterations': 2, 'size': 64, 'images': 2},
    'bank_time': {'iterations': 2, 'size': (32, 48), 'width': 4, 'calls': 1},
    'sample_time': {'size': (48, 64), 'images': 2},
    'phase_time': {'size': 32, 'images': 3, 'iterations': 1, 'batch': 2, 'width': 4},
    'iteration_time': {'crop': 32, 'images': 2, 'width': 4},
    'iteration_memory': {'crop': 32, 'images': 2, 'width': 4},
    'online_time': {'crop': 32, 'images': 4, 'width': 4},
    'online_memory': {'crop': 32, 'images': 4, 'width': 4},
    'mixing_time': {'crop': 32, 'images': 4, 'width': 4},
    'run_time': {'iterations': 2, 'workers': (0,)},
    'resume_time': {'iterations': 10},
}


@pytest.fixture(scope='module')
def tools():
    return {name: load_tool(f'benchmarks/{name}.py') for name in NAMES}


@pytest.mark.usefixtures('mmseg_scope')
@pytest.mark.parametrize('measurement', TOY)
def test_a_measurement_gives_its_rows_as_finite_numbers(tools, measurement):
    measure, names = next(one for one in tools['bench'].MEASUREMENTS.items() if one[0].__name__ == measurement)
    rows = measure(2, **TOY[measurement])
    assert all(math.isfinite(value) for samples in rows.values() for value in samples)
    assert list(rows) == list(names)[: len(rows)]
    assert measurement == 'run_time' or len(rows) == len(names)


def test_every_measurement_and_every_load_is_tried(tools):
    assert {measure.__name__ for measure in tools['bench'].MEASUREMENTS} == set(TOY)
    assert {function.__name__ for function in tools['load'].MEASUREMENTS} == set(SMALL)


def test_both_losses_are_the_same(tools):
    logits, label, confidence = tools['loss'].batch((3, 5, 40, 30))
    results = []
    loss = DynamicMutualLoss()
    for compute in (loss, lambda *batch: tools['naive'].naive_loss(*batch, confidence)[0]):
        leaf = logits.clone().requires_grad_()
        with loss.pseudo_targets(confidence):
            value = compute(leaf, label)
        value.backward()
        results.append((value.detach(), leaf.grad))
    torch.testing.assert_close(results[0], results[1])
    counts = tools['naive'].naive_loss(logits, label, confidence)[1]
    assert counts == {name: int(loss.counts[name]) for name in counts}
    assert counts['learner_wins'] > 0


@pytest.mark.usefixtures('mmseg_scope')
def test_both_labelings_are_the_same(tools, tmp_path):
    networks, labeling = tools['networks'], tools['labeling']
    torch.manual_seed(0)
    peers = {'left': networks.build(networks.resnet18(width=4, classes=6)).eval()}
    images = networks.Unlabeled(networks.scenes(3, 48), classes=6)
    thresholds = tools['naive'].naive_labeling(peers, images, tmp_path / 'naive', labeling.RATIO)['left']
    labeling.label_anew(peers, images, tmp_path / 'ours')
    bank = PseudoLabelBank(tmp_path / 'ours' / 'left')
    predicted = np.isfinite(thresholds)
    ours = np.array(bank.manifest.thresholds, np.float32)
    assert predicted.any()
    np.testing.assert_array_equal(np.isfinite(ours), predicted)
    np.testing.assert_array_equal(ours[predicted], dequantize(quantize(thresholds[predicted])))
    for number in range(3):
        label, confidence = bank.read(number)
        naive_label, naive_confidence = np.moveaxis(np.load(tmp_path / 'naive' / 'left' / f'{number}.npy'), -1, 0)
        np.testing.assert_array_equal(confidence, dequantize(quantize(naive_confidence)))
        both = naive_label != 255
        np.testing.assert_array_equal(label[both], naive_label[both])
        # Ours keeps all that share the level of the threshold.
        more = ~both & (label != 255)
        np.testing.assert_array_equal(confidence[more], ours[label[more]])


@pytest.mark.usefixtures('mmseg_scope')
def test_what_is_measured_on_a_gpu_runs_at_toy_size(tools):
    gpu, cpu = tools['gpu'], torch.device('cpu')
    found = {
        **gpu.loss_rows(cpu, 1, shape=(2, 5, 9, 7)),
        **gpu.iteration_rows(cpu, 1, crop=32, images=2, width=4),
        **gpu.labeling_rows(cpu, images=2, batch_size=2, sizes=((32, 48),), width=4),
    }
    assert all(math.isfinite(value) for value in found.values())
    assert {'loss_ours_bfloat16_ms', 'labeling_48_bfloat16_images_per_s'} <= set(found)


def test_without_a_gpu_it_is_said_and_nothing_fails(tools, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    tools['gpu'].main(['--work-dir', str(tmp_path)])
    assert 'No CUDA device is found' in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_wheels_are_those_that_the_project_pins(tools):
    wheels = tools['gpu_wheels']
    wanted = wheels.requirements('# comment\n' + '\n'.join(f'{name}==1.0' for name in wheels.NAMES))
    assert wanted[: len(wheels.NAMES)] == [f'{name}==1.0' for name in wheels.NAMES]
    with pytest.raises(ValueError, match='lacks zstandard: pin'):
        wheels.requirements('\n'.join(f'{name}==1.0' for name in wheels.NAMES[:-1]))


def test_live_bytes_count_what_is_alive(tools):
    def make_and_drop():
        first = torch.zeros(1000)
        second = first + 1
        del first
        return second.view(10, 100).add_(1) + 1

    assert tools['measure'].peak_bytes(make_and_drop) == 8000


def test_the_table_is_written(tools, tmp_path, capsys):
    tools['bench'].main(['--only', 'resume_10k_s', '--repeats', '2', '--work-dir', str(tmp_path)])
    results = json.loads((tmp_path / 'results.json').read_text())
    (row,) = results['rows']
    assert row['name'] == 'resume_10k_s'
    assert (row['target'], row['met']) == ('<= 1', row['value'] <= 1)
    assert row['repeats'] == 2
    assert {'machine', 'versions', 'repeats'} <= set(results)
    assert 'resume_10k_s' in capsys.readouterr().out


SMALL = {'label_images': 500, 'fill_bank': 5000, 'open_data': 500, 'soak': 60}


@pytest.mark.whole_run
@pytest.mark.parametrize('name', SMALL)
def test_memory_and_open_files_do_not_grow_with_the_load(tools, name):
    before = len(list(Path('/proc/self/fd').iterdir()))
    for line in getattr(tools['load'], name)(SMALL[name]):
        assert line.growth < 16, line  # MiB; what a run has to make once comes in its first tenth
        assert line.files - before < 30, line  # logs, banks and their index, whatever the load
    assert len(list(Path('/proc/self/fd').iterdir())) - before < 30


def test_what_the_load_makes_a_process_hold_is_found(tools):
    watch = tools['load'].Watch('hoard', 100)
    hoard = []
    for number in range(100):
        # Of the system, page by page: an allocator might hand out what another test has freed.
        pages = mmap.mmap(-1, 2**21)
        pages.write(bytes(2**21))
        hoard.append(pages)
        watch.step(number)
    assert watch.result().growth == pytest.approx(160, abs=40)
