"""What the README says is so."""

import re
import shutil
from pathlib import Path

import cv2
import pytest
from toys.forked import python

ROOT = Path(__file__).parents[2]
README = (ROOT / 'README.md').read_text()


@pytest.fixture
def own_data(tmp_path, shapes_folder):
    """The data set that dmt_custom.py is written for, in the folder that it names."""
    shutil.copytree(shapes_folder, tmp_path / 'data' / 'mine')
    for path in (tmp_path / 'data' / 'mine' / 'masks').iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), (mask > 0).astype('uint8'))
    return tmp_path


@pytest.mark.process
def test_its_commands_train_and_report_its_config(tmp_path):
    (block,) = re.findall(r'```python\n(.*?)```', README, flags=re.DOTALL)
    _, train, report = re.findall(r'^python (-m mmdmt [^#]+?) +#', README, flags=re.MULTILINE)
    short = {
        'iters=100': 'iters=1',
        'warm_up=1000': 'warm_up=2',
    }
    for long in sorted(short, key=len, reverse=True):
        assert long in block
        block = block.replace(long, short[long])
    (tmp_path / 'mine.py').write_text(block)
    small = ['train_dataloader.dataset.unlabeled.num_scenes=12', 'val_dataloader.dataset.num_scenes=4']
    for command in ([*train.split(), '--cfg-options', *small, 'default_hooks.logger.interval=1'], report.split()):
        result = python(*command, cwd=tmp_path)
        assert result.returncode == 0, result.stderr[-3000:]
    log = next(tmp_path.glob('work_dirs/mine/*/*.log')).read_text()
    assert 'Phase 5 (6 of 6)' in log
    assert 'ensemble/mIoU: ' in log
    assert (tmp_path / 'work_dirs' / 'mine' / 'report.html').is_file()


@pytest.mark.process
def test_the_config_for_own_data_runs(own_data):
    small = dict(depth=18, base_channels=4, stem_channels=4)
    options = [
        'train_cfg.val_interval=4',
        'train_dataloader.batch_size=4',
        'train_dataloader.num_workers=1',
        'val_dataloader.num_workers=0',
        'train_dataloader.dataset.labeled.pipeline.2.scale=(64,48)',
        'train_dataloader.dataset.labeled.pipeline.4.crop_size=(32,32)',
        'train_dataloader.dataset.unlabeled.pipeline.1.scale=(64,48)',
        'train_dataloader.dataset.unlabeled.pipeline.4.crop_size=(32,32)',
        'val_dataloader.dataset.pipeline.1.scale=(64,48)',
        'custom_hooks.0.warm_up=2',
        'custom_hooks.0.iters=2',
        'custom_hooks.0.ratios=[0.2]',
        'custom_hooks.0.pseudo=2',
        'custom_hooks.0.labeling.num_workers=0',
    ]
    for peer in ('left', 'right'):
        options += [
            f'model.peers.{peer}.pretrained=None',
            f'model.peers.{peer}.data_preprocessor.size=(32,32)',
            *(f'model.peers.{peer}.backbone.{key}={value}' for key, value in small.items()),
            f'model.peers.{peer}.decode_head.in_channels=32',
            f'model.peers.{peer}.decode_head.c1_in_channels=4',
            f'model.peers.{peer}.decode_head.channels=8',
            f'model.peers.{peer}.auxiliary_head.in_channels=16',
        ]
    template = (ROOT / 'configs' / 'custom' / 'dmt_custom.py').read_text()
    (own_data / 'mine.py').write_text(template.replace("'../_base_", f"'{ROOT}/configs/_base_"))
    result = python(ROOT / 'tools' / 'train.py', 'mine.py', '--cfg-options', *options, cwd=own_data)
    assert result.returncode == 0, result.stderr[-3000:]
    log = next(own_data.glob('work_dirs/mine/*/*.log')).read_text()
    assert re.search(r'left/mIoU: \d+.*right/mIoU: \d+.*ensemble/mIoU: \d+', log)
    assert (own_data / 'work_dirs' / 'mine' / 'iter_4.pth').is_file()
