"""The demos, with all their runs, in a hundredth of their iterations."""

import json
from pathlib import Path

import pytest
from toys.forked import python

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


def demo(work_dir, *options, **how):
    return python(ROOT / 'tools' / 'demo.py', '--work-dir', work_dir, *options, **how)


@pytest.mark.parametrize(
    ('task', 'metric', 'iters', 'peers', 'pictures'),
    [
        ('segmentation', 'mIoU', 5 + 5 * 2, ['unet', 'resnet'], ['predictions.png']),
        ('classification', 'top1', 3 + 5 * 1, ['wide', 'plain'], []),
    ],
)
def test_a_demo_trains_and_compares(tmp_path, task, metric, iters, peers, pictures):
    result = demo(tmp_path, '--task', task, '--shrink', '100', '--seed', '2', nested=True)
    assert result.returncode == 0, result.stderr[-3000:]
    results = json.loads((tmp_path / 'results.json').read_text())
    assert list(results) == ['supervised', 'supervised_long', 'self_training', 'dmt', 'settings', 'versions']
    assert (results['settings']['seed'], results['settings']['shrink']) == (2, 100)
    assert results['settings']['iters']['dmt'] == iters
    assert [path.name for path in tmp_path.glob('*.png')] == pictures
    shown = {line[:33].strip(): line[33:].split() for line in result.stdout.splitlines()}
    for row, title in (('supervised', 'labels only'), ('self_training', 'self-training'), ('dmt', 'DMT')):
        scores = results[row]
        assert all(0 <= scores[peer] <= 100 for peer in peers)
        assert shown[title][:2] == [f'{scores[peer]:.2f}' for peer in peers]
        # The table and the file say the same of both networks as the last validation of their runs.
    last = [
        json.loads(line)
        for line in next(tmp_path.glob('dmt/*/vis_data/scalars.json')).read_text().splitlines()
        if f'ensemble/{metric}' in line
    ][-1]
    assert results['dmt'] == {name: round(last[f'{name}/{metric}'], 2) for name in [*peers, 'ensemble']}


def test_a_run_that_fails_ends_the_demo_with_the_end_of_its_log(tmp_path):
    (tmp_path / 'dmt').touch()  # where a folder should be
    result = demo(tmp_path, '--shrink', '100', '--jobs', '1')
    assert result.returncode == 1
    assert f'dmt failed; the end of {tmp_path / "dmt.log"}:' in result.stderr


def test_no_iterations_are_refused(tmp_path):
    result = demo(tmp_path, '--shrink', '0')
    assert result.returncode == 2
    assert '--shrink 0 divides no number of iterations: give 1 or more' in result.stderr
    assert not list(tmp_path.iterdir())
