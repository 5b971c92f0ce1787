"""The examples of docs/en/install.md do what the page says."""

import re
from pathlib import Path

import pytest
from toys.forked import python

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'en' / 'install.md').read_text()
SHORT = [
    'train_cfg.val_interval=2',
    'train_dataloader.dataset.unlabeled.num_scenes=12',
    'val_dataloader.dataset.num_scenes=4',
]
# Of each page's config: networks of the same layers with a sixteenth of the channels, or nothing.
NARROW = {
    'pspnet.py': [
        f'model.peers.{peer}.{option}'
        for peer in ('left', 'right')
        for option in (
            'backbone.stem_channels=4',
            'backbone.base_channels=4',
            'decode_head.in_channels=128',
            'decode_head.channels=16',
            'auxiliary_head.in_channels=64',
            'auxiliary_head.channels=16',
        )
    ],
    'mine.py': [],
}


def config_of(name):
    """Return the Python block that the page introduces as this file."""
    found = re.search(rf'```python\n# {re.escape(name)}\n(.*?)```', PAGE, re.DOTALL)
    assert found, f'no block starts with # {name}'
    return found.group(1)


@pytest.mark.parametrize('name', NARROW)
def test_a_config_from_any_folder_inherits_ours_and_the_toolboxes(name, tmp_path):
    # Two phases instead of six, so that the run is short; what is inherited stays as the page has it.
    (tmp_path / name).write_text(config_of(name) + "\nphases = [dict(iters=1, labeled=8), "
                                 "dict(iters=1, labeled=2, pseudo=6, label_ratio=0.5)]\n"
                                 "custom_hooks = [dict(type='mmdmt.DMTHook', phases=phases, "
                                 "labeling=dict(batch_size=6, num_workers=0))]\n")  # fmt: skip
    result = python('-m', 'mmdmt', 'train', name, '--cfg-options', *SHORT, *NARROW[name], cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    log = next(tmp_path.glob('work_dirs/*/*/*.log')).read_text()
    assert 'Phase 1 (2 of 2)' in log
    assert 'ensemble/mIoU' in log
