"""What a run writes down, for reports, and what it says when it starts."""

import json

import pytest
from mmengine.runner import Runner
from toys.segmentation import run_config

pytestmark = [pytest.mark.whole_run, pytest.mark.usefixtures('mmseg_scope')]


@pytest.fixture(scope='module')
def work_dir(shapes_folder, tmp_path_factory):
    """Of a run."""
    folder = tmp_path_factory.mktemp('events')
    Runner.from_cfg(run_config(shapes_folder, folder)).train()
    return folder


def test_events_say_what_happened_in_its_order(work_dir):
    (file,) = work_dir.glob('*/events.jsonl')
    events = [json.loads(line) for line in file.read_text().splitlines()]
    told = [(one['event'], one.get('iteration'), one.get('phase')) for one in events if one['event'] != 'warning']
    assert told == [
        ('start', 0, None),
        ('phase', 0, 0),
        ('phase', 3, 1),
        ('labels', 3, 1),
        ('validation', 3, None),
        ('phase', 6, 2),
        ('labels', 6, 2),
        ('validation', 6, None),
        ('validation', 9, None),
        ('end', 9, None),
    ]
    start, values = events[0], events[-2]['values']
    assert [phase['stop'] for phase in start['phases']] == [3, 6, 9]
    assert start['phases'][1]['settings']['label_ratio'] == 0.5
    assert (start['peers'], start['classes']) == (['left', 'right'], ['ground', 'square', 'disc'])
    assert start['config']['train_cfg']['max_iters'] == 9
    assert start['versions']['torch']
    assert start['machine']['cores'] >= 1
    assert set(start['lists']) == {'labeled', 'unlabeled', 'validation'}
    for name in ('left', 'right', 'ensemble'):
        assert 0 <= values[f'{name}/mIoU'] <= 100
        assert 0 <= values[f'{name}/IoU/ground'] <= 100
        bins = events[-2]['reliability'][name]['bins']
        assert sum(share for share, _, _ in bins) == pytest.approx(1, abs=1e-3)
        # Pixels are a sample of those that aAcc counts.
        accuracy = sum(share * right for share, _, right in bins)
        assert 100 * accuracy == pytest.approx(values[f'{name}/aAcc'], abs=5)
    assert [one['time'] for one in events] == sorted(one['time'] for one in events)
