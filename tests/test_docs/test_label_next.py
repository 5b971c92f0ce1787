"""Every command of docs/en/label_next.md, run in the order of the page on a small data set and toy networks."""

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from toys.forked import python
from toys.segmentation import run_config, write_shapes

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'en' / 'label_next.md').read_text()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a config of the user's, data and photos."""
    monkeypatch.chdir(tmp_path)
    for folder in ('data/mine', 'photos'):
        (tmp_path / folder).mkdir(parents=True)
    data = write_shapes(tmp_path / 'data' / 'mine')
    config = run_config(data, tmp_path / 'work_dirs' / 'mine')
    config.update(test_dataloader=config.val_dataloader, test_cfg={'type': 'TestLoop'})
    config.test_evaluator = config.val_evaluator
    config.pop('work_dir')
    config.dump(tmp_path / 'mine.py')
    for name in ('008', '009'):
        (tmp_path / 'photos' / f'{name}.png').symlink_to(data / 'images' / f'{name}.png')
    return tmp_path


def test_its_commands_run_one_after_the_other(place):
    blocks = re.findall(r'```bash\n(.*?)```', PAGE, flags=re.DOTALL)
    commands = ''.join(blocks).replace('\\\n', ' ').splitlines()
    said = ''
    for command in commands:
        for old, new in {'iter_4000': 'iter_9', '--take 30': '--take 3', '$PWD': str(place)}.items():
            command = command.replace(old, new)
        loads = [] if ' train ' in command else ['--num-workers', '0']  # a forked process cannot have workers
        result = python(*shlex.split(command)[1:], *loads)
        assert result.returncode == 0, result.stderr[-3000:]
        said += result.stdout
        for name in Path('ranked/label_next.txt').read_text().split() if Path('ranked').is_dir() else ():
            mask = cv2.imread(f'data/mine/images/{name}.png')[..., 0]
            cv2.imwrite(f'data/mine/masks/{name}.png', (mask > 150).astype(np.uint8))

    names = {file: Path(file).read_text().split() for file in ('ranked/labeled.txt', 'ranked/label_next.txt')}
    assert names['ranked/labeled.txt'][-3:] == names['ranked/label_next.txt']
    labeled = Path('ranked_2/labeled.txt').read_text().split()
    assert len(set(labeled)) == 12
    assert labeled[:9] == names['ranked/labeled.txt']
    judged = Path('errors/errors.csv').read_text().splitlines()[1:]
    assert {line.split(',')[0] for line in judged} == set(names['ranked/label_next.txt'])
    assert said.count('python -m mmdmt train mine.py --work-dir folds/fold_') == 2
    assert len(list(Path('photos_labeled/agreement').glob('*.png'))) == 2
