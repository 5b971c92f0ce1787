import json
import re

import pytest
from mmengine.runner import Runner
from toys.segmentation import CLASSES, run_config

pytestmark = [pytest.mark.whole_run, pytest.mark.usefixtures('mmseg_scope')]


@pytest.fixture(scope='module')
def validated(tmp_path_factory, shapes_folder):
    """A run of two iterations, validated after each."""
    work_dir = tmp_path_factory.mktemp('class_iou')
    config = run_config(shapes_folder, work_dir)
    config.train_cfg.update(max_iters=2, val_interval=1)
    config.custom_hooks[0].phases = [{'iters': 2, 'labeled': 4}]
    config.visualizer = {
        'type': 'SegLocalVisualizer',
        'vis_backends': [{'type': 'LocalVisBackend'}],
        'name': work_dir.name,
    }
    Runner.from_cfg(config).train()
    return work_dir


def scalars(work_dir):
    (path,) = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in path.read_text().splitlines()]


def tables(work_dir):
    """IoU of each class by name, as MMSegmentation has printed it: one dict for each peer and validation."""
    (log,) = work_dir.glob('*/*.log')
    found = re.findall(r'Results of (\w+):.*?Class .*?\n\+[-+]+\n(.*?)\n\+', log.read_text(), flags=re.DOTALL)
    return [
        (peer, {row.split('|')[1].strip(): float(row.split('|')[2]) for row in rows.splitlines()})
        for peer, rows in found
    ]


def test_scalars_are_the_table_that_the_toolbox_prints(validated):
    entries = [entry for entry in scalars(validated) if any('/IoU/' in key for key in entry)]
    printed = tables(validated)
    assert [peer for peer, _ in printed] == ['left', 'right', 'ensemble'] * 2
    for entry, (peer, table) in zip(entries, printed, strict=True):
        step = entry.pop('step')
        assert entry == {f'{peer}/IoU/{name}': value for name, value in table.items() if value == value}, step
    assert set(printed[0][1]) == set(CLASSES)


def test_they_have_the_step_of_the_validation_and_the_log_line_stays_short(validated):
    steps = {True: [], False: []}
    for entry in scalars(validated):
        if any(key.startswith('ensemble/') for key in entry):
            steps[any('/IoU/' in key for key in entry)].append(entry['step'])
    assert steps[True] == steps[False] == [1, 2]
    (log,) = validated.glob('*/*.log')
    (line, *_) = [line for line in log.read_text().splitlines() if 'Iter(val)' in line and 'mIoU' in line]
    assert '/IoU/' not in line
