"""The example of docs/en/install.md does what the page says."""

import re
from pathlib import Path

import pytest
from toys.forked import python

pytestmark = pytest.mark.process

PAGE = (Path(__file__).parents[2] / 'docs' / 'en' / 'install.md').read_text()
SHORT = [
    'train_cfg.val_interval=2',
    'train_dataloader.dataset.unlabeled.num_scenes=12',
    'val_dataloader.dataset.num_scenes=4',
]
# Two phases instead of six, so that the run is short; what is inherited stays as the page has it.
PHASES = """
phases = [dict(iters=1, labeled=8), dict(iters=1, labeled=2, pseudo=6, label_ratio=0.5)]
custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases, labeling=dict(batch_size=6, num_workers=0))]
"""


def test_a_config_from_any_folder_inherits_ours(tmp_path):
    (block,) = re.findall(r'```python\n(# mine.py\n.*?)```', PAGE, re.DOTALL)
    (tmp_path / 'mine.py').write_text(block + PHASES)
    result = python('-m', 'mmdmt', 'train', 'mine.py', '--cfg-options', *SHORT, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    log = next(tmp_path.glob('work_dirs/*/*/*.log')).read_text()
    assert 'Phase 1 (2 of 2)' in log
    assert 'ensemble/mIoU' in log
