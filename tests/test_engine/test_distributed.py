"""A run in two processes, on gloo and loopback, by the toolbox's own script."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.model.wrappers import MMFullyShardedDataParallel
from mmengine.registry import MODELS
from mmengine.runner import Runner
from toys.checkpoints import take_back
from toys.forked import python_in_two_ranks, python_path
from toys.ports import free_port
from toys.segmentation import run_config, toy_segmentor
from toys.stages import Fail
from toys.told import events_of, scalars_of

from mmdmt.labels.labeling import label, weights_digest
from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.scripts import toolbox_script

SETTINGS = {
    'custom_imports': {'imports': ['mmdmt'], 'allow_failed_imports': False},
    'model_wrapper_cfg': {'type': 'MMSeparateDistributedDataParallel'},
}
ROOT = Path(__file__).parents[2]
TELL_THREADS_AT_EXIT = """
import atexit
import os


def tell():
    if len(os.listdir('/proc/self/task')) == 1:
        print('one thread is left')


atexit.register(tell)  # runs after all that are registered later
from mmdmt.scripts import run_toolbox_script

run_toolbox_script('train.py')
"""


def started(*command, cwd, **environment):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', **environment}
    how = {'capture_output': True, 'text': True, 'timeout': 300, 'check': False}
    return subprocess.run([str(part) for part in command], cwd=cwd, env=environment, **how)


def torchrun(config, path, script, **environment):
    """Run a script in two processes that torch's launcher looks after."""
    config.dump(path)
    launch = ['-m', 'torch.distributed.run', '--nproc_per_node=2', f'--master_port={free_port()}']
    command = (sys.executable, *launch, script, path, '--launcher', 'pytorch')
    return started(*command, cwd=path.parent, **environment)


def train_in_two_ranks(config, path, *options):
    config.dump(path)
    command = (toolbox_script('train.py'), path, '--launcher', 'pytorch', *options)
    for result in python_in_two_ranks(*command, cwd=path.parent):
        assert result.returncode == 0, result.stderr[-3000:]


@pytest.fixture(scope='module')
def two_processes(shapes_folder, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('two')
    # Nine images do not divide evenly.
    settings = {'custom_hooks.0.keep_banks': 0, 'train_dataloader.dataset.unlabeled.indices': 9}
    config = run_config(shapes_folder, work_dir, **SETTINGS, **settings)
    config.custom_hooks.append({'type': 'mmdmt.PictureHook', 'images': 1})
    config.custom_hooks.append({'type': 'EMAHook', 'momentum': 0.25})
    train_in_two_ranks(config, work_dir / 'config.py')
    return work_dir, config


@pytest.mark.process
def test_one_process_of_two_tells_and_draws(two_processes):
    work_dir, _ = two_processes
    assert [entry['step'] for entry in scalars_of(work_dir, 'pseudo/phase')] == [3, 6]
    drawn = sorted(str(path.relative_to(work_dir / 'pictures')) for path in work_dir.rglob('pictures/*/*'))
    assert drawn == [f'{folder}/unlabeled_0_006.png' for folder in ('end', 'phase_1', 'phase_2')]


def stored(bank, image):
    """The bytes that a bank keeps of an image."""
    file = bank.folder / f'labels-{bank._shard[image]}.bin'
    return file.read_bytes()[bank._offset[image] :][: bank._length[image]]


@pytest.mark.process
def test_labeling_is_shared_without_gaps_and_equals_that_of_one_process(two_processes, tmp_path, mmseg_scope):
    from mmengine.registry import DATASETS

    work_dir, config = two_processes
    (root,) = (work_dir / 'pseudo_labels').iterdir()
    model = MODELS.build(config.model)
    model.load_state_dict(torch.load(work_dir / 'iter_3.pth')['state_dict'])
    dataset = DATASETS.build(config.train_dataloader.dataset)
    label(model.bare_peers, dataset, dataset.labels, model.kind.predict, tmp_path, 'one', 1, 0.5, num_workers=0)
    for name, peer in model.peers.items():
        two, one = PseudoLabelBank(root / 'phase_1' / name), PseudoLabelBank(tmp_path / name)
        assert two.manifest.shards == 2
        assert two.manifest.weights == weights_digest(peer)
        assert two.manifest.thresholds == one.manifest.thresholds
        assert two.manifest.totals == one.manifest.totals
        assert len(two) == len(one) == 9
        assert [stored(two, image) for image in range(9)] == [stored(one, image) for image in range(9)]


@pytest.mark.process
def test_classes_are_validated_over_the_images_of_all_processes(two_processes):
    work_dir, _ = two_processes
    scores = [entry['ensemble/mIoU'] for entry in scalars_of(work_dir, 'ensemble/mIoU')]
    classes = scalars_of(work_dir, 'ensemble/IoU/disc')
    means = [np.mean([value for key, value in entry.items() if key != 'step']) for entry in classes]
    assert len(scores) == 3
    np.testing.assert_allclose(means, scores, atol=0.01)


@pytest.mark.process
def test_a_distributed_run_resumes_exactly(two_processes, tmp_path):
    work_dir, config = two_processes
    take_back(work_dir, 4)
    expected = torch.load(work_dir / 'iter_9.pth')
    (work_dir / 'iter_9.pth').unlink()
    train_in_two_ranks(config, tmp_path / 'config.py', '--resume', '--work-dir', work_dir)
    got = torch.load(work_dir / 'iter_9.pth')
    for part in ('state_dict', 'ema_state_dict'):  # the averages, and what is trained
        for key, value in expected[part].items():
            assert value.equal(got[part][key]), key


OFFLINE = {'label_ratio': 0.5}
ONLINE = {'online': {'labeler': 'ensemble', 'min_confidence': 0.3, 'weigh_by': 'weak', 'label_ratio': 0.5, 'window': 4}}


@pytest.mark.process
@pytest.mark.parametrize('source', [OFFLINE, ONLINE], ids=['bank', 'online'])
def test_two_processes_train_as_one_with_twice_the_batch(shapes_folder, tmp_path, source):
    def config_of(name, images):
        # A norm that does not depend on the batch, and no dropout, whose mask is another in every process.
        peer = toy_segmentor(dropout=0.0, norm={'type': 'GN', 'num_groups': 2})
        phases = [
            {'iters': 2, 'labeled': images},
            {'iters': 2, 'labeled': images // 2, 'pseudo': images // 2, **source},
        ]
        settings = {
            **SETTINGS,
            'model.peers': {'_delete_': True, 'left': peer, 'right': {**peer}},
            'model.loss.pseudo_weight': 0.5 if source is ONLINE else None,
            'custom_hooks.0.phases': phases,
            'train_cfg.max_iters': 4,
            'train_dataloader.batch_size': images,
            'train_dataloader.dataset.learner_view': [{'type': 'PhotoMetricDistortion'}],
        }
        config = run_config(shapes_folder, tmp_path / name, **settings)
        config.custom_hooks.append({'type': 'EMAHook', 'momentum': 0.25})
        return config

    Runner.from_cfg(config_of('one', 8)).train()
    if source is ONLINE:
        train_in_two_ranks(config_of('two', 4), tmp_path / 'two.py')
    else:
        script = tmp_path / 'told.py'
        script.write_text(TELL_THREADS_AT_EXIT)
        result = torchrun(config_of('two', 4), tmp_path / 'two.py', script)
        assert result.returncode == 0, result.stderr[-3000:]
        if sys.platform == 'linux':
            # Those of gloo have ended: one that lets a message go while Python shuts down aborts the process.
            assert result.stdout.count('one thread is left') == 2
    validated = [events_of(tmp_path / name, 'validation')[-1]['reliability'] for name in ('one', 'two')]
    for name in ('left', 'right', 'ensemble'):
        np.testing.assert_allclose(*(one[name]['bins'] for one in validated), atol=0.01)
    one, two = (torch.load(tmp_path / name / 'iter_4.pth') for name in ('one', 'two'))
    start = torch.load(tmp_path / 'one' / 'iter_2.pth')
    for part in ('state_dict', 'ema_state_dict'):
        for key, value in one[part].items():
            torch.testing.assert_close(two[part][key], value, rtol=1e-4, atol=1e-6, msg=key)
    assert any((value - start['state_dict'][key]).abs().max() > 1e-4 for key, value in one['state_dict'].items())


@pytest.mark.process
def test_our_script_launches_and_the_ordinary_wrapper_is_refused(shapes_folder, tmp_path):
    run_config(shapes_folder, tmp_path / 'work').dump(tmp_path / 'config.py')
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    command = ('bash', ROOT / 'tools' / 'dist_train.sh', tmp_path / 'config.py', '2')
    result = started(*command, cwd=None, MASTER_PORT=str(free_port()), PATH=path)
    assert result.returncode != 0
    assert "set model_wrapper_cfg=dict(type='MMSeparateDistributedDataParallel')" in result.stderr


def two_ranks(forge, config, path, event=None):
    """Run two processes that nobody looks after; return their exit codes and what each has printed."""
    where = {'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(free_port())}
    runs = []
    for rank in '01':
        config.dump(path / f'rank{rank}.py')
        ranks = {'RANK': rank, 'LOCAL_RANK': rank, **where}
        runs.append(forge.start(path / f'rank{rank}.py', '--launcher', 'pytorch', event=event, **ranks))
    for run in runs:
        run.join(120)
        if run.exitcode is None:
            run.kill()
            raise TimeoutError((path / 'rank0.log').read_text()[-3000:])
    return [run.exitcode for run in runs], [(path / f'rank{rank}.log').read_text() for rank in '01']


@pytest.mark.process
def test_sync_bn_is_an_ordinary_setting(shapes_folder, tmp_path, forge):
    peer = toy_segmentor(norm={'type': 'SyncBN'})
    settings = {**SETTINGS, 'model.peers': {'_delete_': True, 'left': peer, 'right': {**peer}}}
    codes, logs = two_ranks(forge, run_config(shapes_folder, tmp_path / 'work', **settings), tmp_path)
    assert codes == [0, 0], logs[0][-3000:]
    assert 'SyncBatchNorm needs GPUs: each process keeps its own batch statistics.' in logs[0]
    assert (tmp_path / 'work' / 'iter_9.pth').is_file()


@pytest.mark.process
@pytest.mark.parametrize(('stage', 'time'), [('training', 3), ('labeling', 4)])
def test_an_error_in_one_process_ends_the_others(shapes_folder, tmp_path, forge, stage, time):
    config = run_config(shapes_folder, tmp_path / 'work', **SETTINGS)
    codes, logs = two_ranks(forge, config, tmp_path, Fail(stage, time, rank='1'))
    assert codes == [1, 1]
    assert f'RuntimeError: rank 1 has a fault while {stage}' in logs[1]
    assert 'RuntimeError' in logs[0]  # it says that the connection has gone


@pytest.mark.kill
def test_a_process_that_is_killed_while_labeling_ends_the_job(shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path / 'work', **SETTINGS)
    (tmp_path / 'fatal.py').write_text(
        'import os\n'
        'from mmdmt.scripts import run_toolbox_script\n'
        'from toys.stages import Kill, happening\n'
        "with happening(Kill('labeling', 4 if os.environ['RANK'] == '1' else -1)):\n"
        "    run_toolbox_script('train.py')\n"
    )
    result = torchrun(config, tmp_path / 'config.py', tmp_path / 'fatal.py', PYTHONPATH=python_path())
    assert result.returncode != 0
    assert 'Signal 9 (SIGKILL) received' in result.stderr
    assert not list(tmp_path.glob('work/pseudo_labels/*/*/*/manifest.json'))


def test_sharded_models_are_refused(shapes_folder, tmp_path):
    runner = Runner.from_cfg(run_config(shapes_folder, tmp_path))
    # torch makes one on GPUs only.
    wrapper = MMFullyShardedDataParallel.__new__(MMFullyShardedDataParallel)
    torch.nn.Module.__init__(wrapper)
    wrapper._fsdp_wrapped_module = runner.model
    runner.model = wrapper
    with pytest.raises(ValueError, match="is 'MMFullyShardedDataParallel' in the run: peers have an optimizer each"):
        runner.train()
