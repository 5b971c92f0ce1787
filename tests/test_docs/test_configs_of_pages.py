"""The configs of README.md, docs/en/guide.md and docs/en/install.md are trained by the pages' own commands."""

import re
from pathlib import Path

import pytest
from toys.forked import python

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SMALL = ['train_dataloader.dataset.unlabeled.num_scenes=12', 'val_dataloader.dataset.num_scenes=4']
SHORT = ['custom_hooks.0.warm_up=1', 'custom_hooks.0.iters=1', 'train_cfg.val_interval=3']
LOGGED = 'default_hooks.logger.interval=1'


@pytest.mark.parametrize(
    ('page', 'name', 'last', 'peer'),
    [
        ('README.md', 'mine', 'Phase 5 (6 of 6)', 'unet'),
        ('docs/en/guide.md', 'guide', 'Phase 2 (3 of 3)', 'narrow'),
        ('docs/en/install.md', 'mine', 'Phase 5 (6 of 6)', 'unet'),
    ],
)
def test_a_config_of_a_page_trains(page, name, last, peer, tmp_path):
    text = (ROOT / page).read_text()
    (tmp_path / f'{name}.py').write_text('\n'.join(re.findall(r'```python\n(.*?)```', text, flags=re.DOTALL)))
    commands = re.findall(r'^python (-m mmdmt (?:train|report) [^#\n]+)', text, flags=re.MULTILINE)
    for command in commands if 'README' in page else [f'-m mmdmt train {name}.py']:
        options = ['--cfg-options', *SMALL, *SHORT, LOGGED] if ' train ' in command else []
        result = python(*command.split(), *options, cwd=tmp_path)
        assert result.returncode == 0, result.stderr[-3000:]
    log = next(tmp_path.glob(f'work_dirs/{name}/*/*.log')).read_text()
    assert last in log
    assert re.search(rf'{peer}/mIoU: .* ensemble/mIoU: ', log)
    assert 'README' not in page or (tmp_path / 'work_dirs' / 'mine' / 'report.html').is_file()
