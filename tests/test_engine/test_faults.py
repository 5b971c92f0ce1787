"""What happens to a run from outside: a full disk, a forbidden folder, a loss that is NaN."""

import errno
import os

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from toys.outcomes import differences, outcome
from toys.segmentation import run_config
from toys.stages import FillDisk, write_config

from mmdmt import scripts


@pytest.fixture(scope='module')
def whole(shapes_folder, tmp_path_factory, forge):
    """The outcomes of two runs on one data folder at the same time."""
    root = tmp_path_factory.mktemp('faults')
    configs = [write_config(shapes_folder, root / name) for name in ('one', 'other')]
    for process in [forge.start(config) for config in configs]:
        process.join(300)
        assert process.exitcode == 0
    return [outcome(config.with_suffix('')) for config in configs]


@pytest.mark.kill
def test_two_runs_on_one_data_folder_do_not_meet(whole):
    assert not list(differences(*whole))


@pytest.mark.kill
@pytest.mark.parametrize(
    ('stage', 'time', 'words'),
    [
        ('labeling', 13, 'while this was written (make room and go on with --resume, which labels anew)'),
        ('checkpoint', 6, 'nothing can be written to work_dir any more. Make room and go on with --resume'),
    ],
)
def test_a_full_disk_ends_a_run_and_nothing_half_written_is_used(
    whole, shapes_folder, tmp_path, forge, stage, time, words
):
    work_dir, printed = tmp_path / 'full', tmp_path / 'printed'
    config = write_config(shapes_folder, work_dir)
    code, _ = forge.run(config, event=FillDisk(stage, time, printed))
    assert code == 1
    assert os.strerror(errno.EFBIG) in printed.read_text()  # as the system says it of this way to be full
    assert words in printed.read_text()
    assert not list(work_dir.glob('pseudo_labels/*/phase_1/*/manifest.json')) or stage == 'checkpoint'
    code, output = forge.run(config, '--resume')
    assert code == 0, output[-3000:]
    assert not list(differences(whole[0], outcome(work_dir)))


@pytest.mark.process
def test_a_work_dir_that_cannot_be_made_is_told_in_a_sentence(shapes_folder, tmp_path, forge):
    (tmp_path / 'file').write_text('')
    config = write_config(shapes_folder, tmp_path / 'work')
    code, output = forge.run(config, '--work-dir', str(tmp_path / 'file' / 'below'))
    assert code == 1
    assert 'file/below cannot be made (Not a directory): all output goes below work_dir, so give one' in output
    assert 'Traceback' not in output


BELOW = '/data/run/20260101'  # which is no file; an image that cannot be read is one


@pytest.mark.parametrize(
    ('error', 'ends', 'words'),
    [
        (PermissionError(errno.EACCES, 'Permission denied', BELOW), SystemExit, f'{BELOW} cannot be made'),
        (OSError(errno.EROFS, 'Read-only file system', BELOW), SystemExit, 'Read-only file system'),
        (OSError(errno.ENOSPC, 'No space left on device'), SystemExit, 'No space left on device: nothing can be'),
        (OSError(errno.EDQUOT, 'Disk quota exceeded'), SystemExit, 'Disk quota exceeded: nothing can be written'),
        (PermissionError(errno.EACCES, 'Permission denied', __file__), PermissionError, 'Permission denied'),
    ],
)
def test_what_the_system_forbids_is_told_in_a_sentence(tmp_path, monkeypatch, error, ends, words):
    script = f'def main():\n    raise {type(error).__name__}(*{(*error.args, error.filename)!r})\n'
    (tmp_path / 'script.py').write_text(script)
    monkeypatch.setattr(scripts, 'toolbox_script', lambda *_: tmp_path / 'script.py')
    with pytest.raises(ends, match=words):
        scripts.run_toolbox_script('script.py')


@pytest.mark.whole_run
def test_a_run_whose_loss_is_no_number_stops(shapes_folder, tmp_path):
    settings = {'optim_wrapper.optimizer.lr': 1e30, 'custom_hooks.0.stop_after_nan': 1}
    with pytest.raises(
        RuntimeError, match=r'for 1 iterations, from iteration 1 on \(left.*, right.*lower the learning'
    ):
        Runner.from_cfg(run_config(shapes_folder, tmp_path, **settings)).train()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_1.pth']


class Updates(Hook):
    """Learning rate, scale, and whether the weights have changed, after each iteration."""

    priority = 60  # before the schedulers

    def __init__(self):
        self.rates, self.scales, self.changed, self.weight = [], [], [], None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        optimizer, weight = runner.optim_wrapper['left'], runner.model.left.decode_head.conv_seg.weight
        self.rates.append(optimizer.optimizer.param_groups[0]['lr'])
        self.scales.append(optimizer.loss_scaler.get_scale())
        self.changed.append(self.weight is None or not weight.equal(self.weight))
        self.weight = weight.detach().clone()


@pytest.mark.whole_run
def test_updates_that_overflow_are_skipped_and_schedules_go_by_iterations(shapes_folder, tmp_path):
    huge = 2.0**126
    settings = {
        'optim_wrapper.type': 'CpuScalerOptimWrapper',
        'optim_wrapper.init_scale': huge,
        'optim_wrapper.growth_interval': 1000,
        # Large gradients below the head that is looked at, so that the first scales are too large for them.
        'model.peers.left.auxiliary_head.loss_decode.loss_weight': 1e4,
        'optim_wrapper.optimizer': {'type': 'SGD', 'lr': 1e-6, '_delete_': True},
        'custom_hooks.0.stop_after_nan': 1,  # a skipped update is not counted as a loss of NaN
        'custom_hooks.0.phases': [{'iters': 12, 'labeled': 4}],
        'train_cfg.max_iters': 12,
    }
    runner = Runner.from_cfg(run_config(shapes_folder, tmp_path, **settings))
    updates = Updates()
    runner.register_hook(updates)
    runner.train()
    skipped = [after < before for before, after in zip([huge, *updates.scales[:-1]], updates.scales, strict=True)]
    assert 0 < sum(skipped) < 12
    # The first has nothing to be compared with, the last has a learning rate of zero.
    assert [not was_skipped for was_skipped in skipped[1:-1]] == updates.changed[1:-1]
    assert updates.rates == pytest.approx([1e-6 * (1 - step / 11) ** 0.9 for step in range(12)])
    assert torch.load(tmp_path / 'iter_12.pth')['optimizer']['left']['loss_scaler']['scale'] == updates.scales[-1]
