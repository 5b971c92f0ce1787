import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from toys.segmentation import run_config
from toys.tools import load_tool


@pytest.fixture
def check():
    main = load_tool('check_data.py').main
    return lambda *arguments: main([*map(str, arguments), '--workers', '1'])


@pytest.fixture
def config(shapes_folder, tmp_path, mmseg_scope):
    shutil.copytree(shapes_folder, tmp_path / 'data')
    run_config(tmp_path / 'data', tmp_path / 'run').dump(tmp_path / 'config.py')
    return tmp_path / 'config.py'


def test_sound_data_pass_with_a_table_and_a_sheet(check, config, tmp_path, capsys):
    assert check(config, '--draw', tmp_path / 'sheets' / 'sheet.png') == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines]
    assert ['labeled', '6', '6'] in rows
    assert ['unlabeled', '10', '0'] in rows
    assert ['val', '4', '4'] in rows
    (disc,) = (row for row in rows if row[:1] == ['disc'])
    assert disc[2::2] == ['6', '4']
    assert 'No warnings.' in lines
    assert 'No problems.' in lines
    with Image.open(tmp_path / 'sheets' / 'sheet.png') as sheet:
        # Ten images, three pairs in a row.
        assert sheet.width > sheet.height
        assert len(sheet.convert('RGB').getcolors(10**6)) > 10


@pytest.mark.parametrize('ignored', [0, 2])
def test_the_shares_are_those_of_the_classes_that_are_learned(check, config, tmp_path, capsys, ignored):
    settings = Config.fromfile(config)
    settings.train_dataloader.dataset.labeled.ignore_index = ignored
    settings.dump(config)
    check(config)  # the other places still ignore 255, which it says
    rows = {row[0]: row[1:] for row in map(str.split, capsys.readouterr().out.splitlines()) if row}
    counts = sum(
        np.bincount(cv2.imread(str(tmp_path / 'data' / 'masks' / f'{number:03d}.png'), -1).ravel(), minlength=3)
        for number in range(6)
    )
    counts[ignored] = 0
    for label, name in enumerate(('ground', 'square', 'disc')):
        wanted = ['ignored'] if label == ignored else [f'{counts[label] / counts.sum():.3%}', '6']
        assert rows[name][: len(wanted)] == wanted


def test_every_problem_is_listed_and_fails(check, config, tmp_path, capsys):
    for number in (0, 1, 17):
        (tmp_path / 'data' / 'masks' / f'{number:03d}.png').write_text('no image')
    (tmp_path / 'data' / 'images' / '010.png').unlink()
    assert check(config, '--draw', tmp_path / 'sheet.png') == 1
    out = capsys.readouterr().out
    assert '\n2 problems:\n' in out
    lines = [line for line in out.splitlines() if line.startswith('- ')]
    assert all(name in lines[0] for name in ('3 masks', 'masks/000.png', 'masks/001.png', 'masks/017.png'))
    assert 'images/010.png does not exist' in lines[1]
    assert 'sheet.png shows 7 images' in out


def test_a_config_that_is_not_there_and_a_picture_that_is_are_named(check, config, tmp_path, capsys):
    (tmp_path / 'photo.png').write_bytes(b'mine')
    for arguments, words in (
        ([tmp_path / 'none.py'], 'none.py does not exist'),
        ([config, '--draw', tmp_path / 'photo.png'], 'photo.png exists and is not overwritten: remove it'),
    ):
        with pytest.raises(SystemExit):
            check(*arguments)
        assert words in capsys.readouterr().err
    assert (tmp_path / 'photo.png').read_bytes() == b'mine'
