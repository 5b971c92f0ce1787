"""The config that docs/en/guide.md makes, block by block, is trained."""

import re
from pathlib import Path

import pytest
from toys.forked import python

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'en' / 'guide.md').read_text()
SHORT = [
    'train_cfg.val_interval=3',
    'default_hooks.logger.interval=1',
    'custom_hooks.0.warm_up=1',
    'custom_hooks.0.iters=1',
    'train_dataloader.dataset.unlabeled.num_scenes=12',
    'val_dataloader.dataset.num_scenes=4',
]


def test_its_blocks_make_a_config_that_trains(tmp_path):
    blocks = re.findall(r'```python\n(.*?)```', PAGE, flags=re.DOTALL)
    (command,) = re.findall(r'```bash\n(.*?)\n```', PAGE, flags=re.DOTALL)
    (tmp_path / 'guide.py').write_text('\n'.join(blocks))
    result = python(*command.split()[1:], '--cfg-options', *SHORT, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    log = next(tmp_path.glob('work_dirs/guide/*/*.log')).read_text()
    assert 'Phase 2 (3 of 3)' in log
    assert re.search(r'narrow/mIoU: .* wide/mIoU: .* ensemble/mIoU: ', log)
