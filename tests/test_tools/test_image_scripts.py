"""MMPretrain's own scripts, unmodified, on a run of classification; and what comes out of it, elsewhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from toys.checkpoints import take_back
from toys.classification import image_run_config
from toys.forked import python, python_in_two_ranks

from mmdmt.apis import export_peer
from mmdmt.labels.images.bank import ScoreBank
from mmdmt.scripts import toolbox_script

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SITE = Path(torch.__file__).parents[1]
TRAIN = str(toolbox_script('train.py', 'mmpretrain'))
TEST = str(toolbox_script('test.py', 'mmpretrain'))


def run(*command, cwd, **environment):
    how = {'capture_output': True, 'text': True, 'timeout': 300, 'check': False}
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', **environment}
    return subprocess.run([sys.executable, *map(str, command)], cwd=cwd, env=environment, **how)


@pytest.fixture(scope='module')
def site_without_mmseg(tmp_path_factory):
    """The packages of this environment but MMSegmentation."""
    site = tmp_path_factory.mktemp('site')
    for entry in SITE.iterdir():
        if not entry.name.startswith(('mmseg', 'mmsegmentation', '__editable__')):
            (site / entry.name).symlink_to(entry)
    return site


@pytest.fixture(scope='module')
def trained(tmp_path_factory, site_without_mmseg):
    """A run by MMPretrain's own script where MMSegmentation is not installed."""
    work_dir = tmp_path_factory.mktemp('trained')
    image_run_config(work_dir).dump(work_dir / 'config.py')
    path = os.pathsep.join(map(str, (site_without_mmseg, ROOT)))
    probe = run('-S', '-c', 'import mmseg', cwd=work_dir, PYTHONPATH=path)
    assert "No module named 'mmseg'" in probe.stderr
    result = run('-S', TRAIN, work_dir / 'config.py', cwd=work_dir, PYTHONPATH=path)
    assert result.returncode == 0, result.stderr[-3000:]
    return work_dir


def test_the_toolboxes_train_script_runs_all_phases_without_mmsegmentation(trained):
    log = next(trained.glob('*/*.log')).read_text()
    for phase in range(3):
        assert f'Phase {phase} ({phase + 1} of 3)' in log
    assert (trained / 'iter_9.pth').is_file()


def test_the_toolboxes_test_script_measures_peers_and_ensemble(trained):
    result = python(TEST, trained / 'config.py', trained / 'iter_9.pth', '--work-dir', trained / 'tested', cwd=trained)
    assert result.returncode == 0, result.stderr[-3000:]
    (scalars,) = (trained / 'tested').glob('*/*.json')
    assert {'left/top1', 'right/top1', 'ensemble/top1'} <= set(json.loads(scalars.read_text()))


def run_two(config, work_dir, *options):
    command = (TRAIN, config, '--work-dir', work_dir, '--launcher', 'pytorch', *options)
    for result in python_in_two_ranks(*command, cwd=config.parent):
        assert result.returncode == 0, result.stderr[-3000:]
    return torch.load(work_dir / 'iter_9.pth')


def test_two_processes_share_the_labeling_and_resume_exactly(tmp_path):
    settings = {'model_wrapper_cfg': {'type': 'MMSeparateDistributedDataParallel'}, 'custom_hooks.0.keep_banks': 0}
    image_run_config(tmp_path, **settings).dump(tmp_path / 'config.py')
    done = run_two(tmp_path / 'config.py', tmp_path / 'whole')
    (root,) = (tmp_path / 'whole' / 'pseudo_labels').iterdir()
    for name in ('left', 'right'):
        bank = ScoreBank(root / 'phase_1' / name)
        assert bank.manifest.shards == 2
        assert len(bank.selected) == int(len(bank) * 0.5)
        np.testing.assert_allclose(bank.scores.sum(axis=1), 1, rtol=1e-5)
    again = tmp_path / 'again'
    shutil.copytree(tmp_path / 'whole' / 'pseudo_labels', again / 'pseudo_labels')
    take_back(tmp_path / 'whole', 5, again)
    resumed = run_two(tmp_path / 'config.py', again, '--resume')
    for part in ('state_dict', 'ema_state_dict'):
        assert all(value.equal(resumed[part][key]) for key, value in done[part].items())
    assert not any('.module.' in key for key in done['state_dict'])


ELSEWHERE = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location('cures', {compat!r})
cures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cures)
cures.apply()
sys.modules['mmdmt'] = None
from mmpretrain import ImageClassificationInferencer
inferencer = ImageClassificationInferencer({config!r}, pretrained={checkpoint!r}, device='cpu')
image = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
np.save({out!r}, inferencer(image)[0]['pred_scores'])
"""


def test_an_exported_peer_predicts_the_same_where_mmdmt_is_not_installed(trained, tmp_path):
    config = Config.fromfile(trained / 'config.py')
    checkpoint = torch.load(trained / 'iter_9.pth')
    plain, weights = export_peer(config, checkpoint, 'right')
    plain.dump(tmp_path / 'right.py')
    torch.save(weights, tmp_path / 'right.pth')
    names = {'config': 'right.py', 'checkpoint': 'right.pth', 'out': 'scores.npy'}
    files = {key: str(tmp_path / name) for key, name in names.items()}
    code = ELSEWHERE.format(compat=str(ROOT / 'mmdmt' / 'compat.py'), **files)
    result = run('-c', code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    init_default_scope('mmpretrain')
    model = MODELS.build(config.model)
    model.load_state_dict(checkpoint['state_dict'])
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    peer = model.right.eval()
    inputs = (torch.from_numpy(image).permute(2, 0, 1)[None].float() - 100) / 80
    with torch.no_grad():
        scores = peer(inputs, mode='tensor').softmax(1)[0]
    np.testing.assert_allclose(np.load(tmp_path / 'scores.npy'), scores.numpy(), atol=1e-6)
