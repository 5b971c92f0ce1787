"""Which files a run removes when it has a better checkpoint than the best so far."""

import shutil

import pytest
import torch
from mmengine.runner import Runner
from toys.segmentation import run_config

from mmdmt.engine.run_record import RunRecord

pytestmark = pytest.mark.whole_run


def config_of(data, work_dir, **settings):
    best = {'default_hooks.checkpoint.save_best': 'ensemble/mIoU', 'default_hooks.checkpoint.rule': 'greater'}
    phases = {'custom_hooks.0.phases': [{'iters': 2, 'labeled': 4}], 'train_cfg.max_iters': 2}
    return run_config(data, work_dir, **best, **phases, **{'train_cfg.val_interval': 1, **settings})


@pytest.fixture(scope='module')
def stopped(shapes_folder, tmp_path_factory):
    """A run that was stopped after its first iteration, in which its best checkpoint is the worst there can be."""
    work_dir = tmp_path_factory.mktemp('best') / 'run'
    Runner.from_cfg(config_of(shapes_folder, work_dir)).train()
    best = work_dir / 'best_ensemble_mIoU_iter_1.pth'
    checkpoint = torch.load(work_dir / 'iter_1.pth')
    shutil.copy(work_dir / 'iter_1.pth', best)
    for path in work_dir.glob('*_2.pth'):
        path.unlink()
    forge(work_dir, checkpoint, best)
    return work_dir


def forge(work_dir, checkpoint, best):
    hub = checkpoint['message_hub']
    hub['runtime_info'].update(best_ckpt=str(best), best_score=-1.0)
    hub['resumed_keys'].update(best_ckpt=True, best_score=True)
    torch.save(checkpoint, work_dir / 'iter_1.pth')
    record = RunRecord.read(work_dir, work_dir)
    record.note('iter_1.pth', 1, resumable=True)
    record.note('best_ensemble_mIoU_iter_1.pth', 1, resumable=False)


@pytest.mark.parametrize('mine', ['thesis.txt', 'home', 'other/best_ensemble_mIoU_iter_1.pth'])
def test_nothing_outside_of_the_work_dir_is_removed(stopped, shapes_folder, tmp_path, mine):
    path = tmp_path / mine
    if path.suffix:
        path.parent.mkdir(exist_ok=True)
        path.write_text('mine')
    else:
        path.mkdir()
        (path / 'photo.txt').write_text('mine')
    copy = shutil.copytree(stopped, tmp_path / 'run')
    forge(copy, torch.load(copy / 'iter_1.pth'), path)
    Runner.from_cfg(config_of(shapes_folder, copy, resume=True)).train()
    assert path.exists()
    assert path.suffix or (path / 'photo.txt').read_text() == 'mine'


def test_a_copied_run_removes_its_own_best_checkpoint_alone(stopped, shapes_folder, tmp_path):
    before = {path.name: path.read_bytes() for path in stopped.glob('*.pth')}
    copy = shutil.copytree(stopped, tmp_path / 'run')
    Runner.from_cfg(config_of(shapes_folder, copy, resume=True)).train()
    assert {path.name: path.read_bytes() for path in stopped.glob('*.pth')} == before
    # Any score is better than -1: that of iteration 1, which is validated again, or that of iteration 2.
    (best,) = copy.glob('best_*.pth')
    assert torch.load(copy / 'iter_2.pth')['message_hub']['runtime_info']['best_ckpt'] == str(best)
