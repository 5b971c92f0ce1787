"""A run in two processes, on gloo and loopback, by the toolbox's own script."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import run_config, toy_segmentor
from mmengine.registry import MODELS
from mmengine.runner import Runner

from mmdmt.apis import toolbox_script
from mmdmt.pseudo_labels.bank import PseudoLabelBank
from mmdmt.pseudo_labels.labelling import label, weights_digest

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def train_in_two_processes(config, path, *options):
    config.dump(path)
    launch = ['-m', 'torch.distributed.run', '--nproc_per_node=2', f'--master_port={free_port()}']
    script = [str(toolbox_script('train.py')), str(path), '--launcher', 'pytorch', *options]
    return subprocess.run(
        [sys.executable, *launch, *script],
        cwd=path.parent,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope='module')
def two_processes(shapes_folder, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('two')
    settings = {
        'custom_imports': {'imports': ['mmdmt'], 'allow_failed_imports': False},
        'model_wrapper_cfg': {'type': 'MMSeparateDistributedDataParallel'},
        'custom_hooks.0.keep_banks': 0,
    }
    config = run_config(shapes_folder, work_dir, **settings)
    result = train_in_two_processes(config, work_dir / 'config.py')
    assert result.returncode == 0, result.stderr[-3000:]
    return work_dir, config


def test_labelling_is_shared_without_gaps_and_equals_that_of_one_process(two_processes, tmp_path, mmseg_scope):
    from mmengine.registry import DATASETS

    work_dir, config = two_processes
    (root,) = (work_dir / 'pseudo_labels').iterdir()
    model = MODELS.build(config.model)
    model.load_state_dict(torch.load(work_dir / 'iter_3.pth')['state_dict'])
    dataset = DATASETS.build(config.train_dataloader.dataset)
    label(model.bare_peers, dataset, tmp_path, 'one', 1, 0.5, num_workers=0)
    for name, peer in model.peers.items():
        two, one = PseudoLabelBank(root / 'phase_1' / name), PseudoLabelBank(tmp_path / name)
        assert two.manifest.shards == 2
        assert two.manifest.weights == weights_digest(peer)
        assert two.manifest.thresholds == one.manifest.thresholds
        assert two.manifest.totals == one.manifest.totals
        for image in range(10):
            assert all(np.array_equal(a, b) for a, b in zip(two.read(image), one.read(image), strict=True))


def test_checkpoints_load_in_one_process(two_processes, mmseg_scope):
    work_dir, config = two_processes
    model = MODELS.build(config.model)
    model.load_state_dict(torch.load(work_dir / 'iter_9.pth')['state_dict'], strict=True)


def test_a_distributed_run_resumes_exactly(two_processes, tmp_path):
    work_dir, config = two_processes
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_4.pth'))
    expected = torch.load(work_dir / 'iter_9.pth')['state_dict']
    (work_dir / 'iter_9.pth').unlink()
    result = train_in_two_processes(config, tmp_path / 'config.py', '--resume', '--work-dir', str(work_dir))
    assert result.returncode == 0, result.stderr[-3000:]
    got = torch.load(work_dir / 'iter_9.pth')['state_dict']
    for key, value in expected.items():
        assert value.equal(got[key]), key


def test_two_processes_train_as_one_with_twice_the_batch(shapes_folder, tmp_path):
    def config_of(name, images):
        # A norm that does not depend on the batch, and no dropout, whose mask is another in every process.
        peer = toy_segmentor(dropout=0.0, norm={'type': 'GN', 'num_groups': 2})
        phases = [
            {'iters': 2, 'labeled': images},
            {'iters': 2, 'labeled': images // 2, 'pseudo': images // 2, 'label_ratio': 0.5},
        ]
        settings = {
            'custom_imports': {'imports': ['mmdmt'], 'allow_failed_imports': False},
            'model_wrapper_cfg': {'type': 'MMSeparateDistributedDataParallel'},
            'model.peers': {'_delete_': True, 'left': peer, 'right': {**peer}},
            'custom_hooks.0.phases': phases,
            'train_cfg.max_iters': 4,
            'train_dataloader.batch_size': images,
        }
        return run_config(shapes_folder, tmp_path / name, **settings)

    Runner.from_cfg(config_of('one', 8)).train()
    result = train_in_two_processes(config_of('two', 4), tmp_path / 'two.py')
    assert result.returncode == 0, result.stderr[-3000:]
    one, two = (torch.load(tmp_path / name / 'iter_4.pth')['state_dict'] for name in ('one', 'two'))
    start = torch.load(tmp_path / 'one' / 'iter_1.pth')['state_dict']
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=1e-4, atol=1e-6, msg=key)
    assert any((value - start[key]).abs().max() > 1e-3 for key, value in one.items())


def test_our_script_launches_and_the_ordinary_wrapper_is_refused(shapes_folder, tmp_path):
    run_config(shapes_folder, tmp_path).dump(tmp_path / 'config.py')
    result = subprocess.run(
        ['bash', str(ROOT / 'tools' / 'dist_train.sh'), str(tmp_path / 'config.py'), '2'],
        env={
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'MASTER_PORT': str(free_port()),
            'PATH': f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}',
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode != 0
    assert "set model_wrapper_cfg=dict(type='MMSeparateDistributedDataParallel')" in result.stderr
