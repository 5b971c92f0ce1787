"""What a run writes down of its checkpoints, and which of them it is resumed from."""

import json
import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook

from mmdmt.engine.resume import settle_checkpoint
from mmdmt.engine.run_record import NAME, RunRecord, checkpoint_folder, note_checkpoints

RUN = '20260101_000000'


def content(iteration, run=RUN):
    return {'weight': torch.full((100, 100), float(iteration)), 'meta': {'iter': iteration}, 'dmt': {'run': run}}


class Runner:
    """As much of MMEngine's runner as its checkpoints need."""

    def __init__(self, work_dir, load_from=None, config=None, **hook):
        self.work_dir, self._load_from, self._resume = str(work_dir), load_from, True
        self.cfg = config or Config({})
        self.hooks, self.logger = [CheckpointHook(by_epoch=False, **hook)], logging.getLogger()

    def save_checkpoint(self, out_dir, filename, meta=None, **_):
        torch.save(content(meta['iter']), f'{out_dir}/{filename}')


def write(work_dir, *iterations, **hook):
    """Write and note checkpoints as a run does, the last of them at a best validation, too."""
    runner = Runner(work_dir, **hook)
    record = RunRecord(work_dir, checkpoint_folder(runner.hooks[0], runner.work_dir))
    record.begin(RUN, {'model': {'width': 4}}, 0)
    note_checkpoints(runner, record)
    for iteration in iterations:
        runner.save_checkpoint(str(work_dir), runner.hooks[0].filename_tmpl.format(iteration), meta={'iter': iteration})
    runner.save_checkpoint(str(work_dir), f'best_mIoU_{iterations[-1]}.pth', meta={'iter': iterations[-1]})
    return work_dir


@pytest.fixture
def work_dir(tmp_path):
    """A run with three checkpoints."""
    (tmp_path / 'run').mkdir()
    return write(tmp_path / 'run', 1, 2, 3)


def settle(work_dir, *given, **hook):
    runner = Runner(work_dir, *given, **hook)
    record = settle_checkpoint(runner)
    name = runner._load_from and runner._load_from.removeprefix(f'{work_dir}/')
    return name, runner._resume, record


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path):
    path.write_bytes(b'')


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    # The test is worth something only where torch notices nothing.
    weight = torch.load(path)['weight']
    assert not weight.eq(weight[0, 0]).all()


def replace(path):
    torch.save(content(9), path)  # whole, but not what the run has written


def remove(path):
    path.unlink()


@pytest.mark.parametrize('damage', [truncate, empty, flip, replace, remove])
def test_the_checkpoint_before_one_that_is_not_as_it_was_noted_takes_its_place(work_dir, damage, caplog):
    damage(work_dir / 'iter_3.pth')
    with caplog.at_level(logging.WARNING):
        assert settle(work_dir)[:2] == ('iter_2.pth', True)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == (
        f'{work_dir}/iter_3.pth is damaged, incomplete or gone: the run is resumed from {work_dir}/iter_2.pth, the '
        'last good checkpoint.'
    )


def test_without_a_checkpoint_as_noted_a_run_is_not_resumed(work_dir):
    for path in work_dir.glob('iter_*.pth'):
        truncate(path)
    with pytest.raises(
        RuntimeError, match=f'No checkpoint in .*/run is as .*/{NAME} notes it: name the one .*load_from=CHECK'
    ):
        settle(work_dir)


def test_what_is_not_noted_does_not_count(work_dir):
    torch.save(content(4), work_dir / 'iter_4.pth')  # whole, and killed before the note
    (work_dir / 'last_checkpoint').write_bytes(b'../elsewhere/\xff')
    assert settle(work_dir)[:2] == ('iter_3.pth', True)


def test_a_copied_or_moved_run_goes_on_from_its_own_checkpoint(work_dir, tmp_path):
    work_dir.rename(tmp_path / 'moved')
    work_dir.mkdir()
    write(work_dir, 3)
    name, _, record = settle(tmp_path / 'moved')
    assert name == 'iter_3.pth'
    assert record.own_path(f'{work_dir}/best_mIoU_3.pth') == str(tmp_path / 'moved' / 'best_mIoU_3.pth')


@pytest.mark.parametrize('template', ['step_{}.pth', '{:06d}.pth', 'a.{0}.b.{0}', '1_{}.pth', 'below/iter_{}.pth'])
def test_checkpoints_may_have_any_name(tmp_path, template):
    (tmp_path / 'below').mkdir()
    write(tmp_path, 8, 12, filename_tmpl=template)
    truncate(tmp_path / template.format(12))
    assert settle(tmp_path, filename_tmpl=template)[:2] == (template.format(8), True)


def test_a_run_that_goes_on_from_earlier_forgets_what_came_after(work_dir):
    name, _, record = settle(work_dir, str(work_dir / 'iter_2.pth'))
    assert name == 'iter_2.pth'
    record.begin(RUN, {}, 2)
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_2.pth')
    assert settle(work_dir)[:2] == ('iter_2.pth', True)  # iter_3.pth is still there


def test_a_new_run_forgets_the_checkpoints_of_the_one_before(work_dir):
    write(work_dir, 1)
    assert settle(work_dir)[:2] == ('iter_1.pth', True)


@pytest.mark.parametrize('forget', [lambda record: record.unlink(), lambda record: write_empty(record.parent)])
def test_checkpoints_of_an_unknown_run_are_not_written_over(work_dir, forget):
    forget(work_dir / NAME)
    with pytest.raises(RuntimeError, match=f'No checkpoint in .*{NAME} notes it: .* load_from=.*/iter_3'):
        settle(work_dir)
    for path in work_dir.glob('iter_*.pth'):  # half of the first checkpoint of the run itself does not count
        truncate(path)
    assert settle(work_dir)[:2] == (None, False)


def write_empty(work_dir):
    RunRecord(work_dir, work_dir).begin('20260202_000000', {}, 0)


def test_an_empty_folder_has_nothing_to_resume(tmp_path):
    assert settle(tmp_path)[:2] == (None, False)


@pytest.mark.parametrize(
    'change', [lambda text: text.replace('"width": 4', '"width": 5'), lambda text: text[:-9], bytes]
)
def test_a_damaged_record_is_told(work_dir, change):
    text = (work_dir / NAME).read_text()
    (work_dir / NAME).write_bytes(bytes(change(text), 'utf-8') if change is not bytes else b'\xff')
    with pytest.raises(ValueError, match=f'{NAME}, which says what checkpoints are whole, is damaged'):
        settle(work_dir)
    # The way out that it names:
    assert settle(work_dir, f'{work_dir}/iter_2.pth')[:2] == ('iter_2.pth', True)


def test_the_record_keeps_no_checkpoint_that_the_run_has_removed(work_dir):
    record = settle(work_dir)[2]
    (work_dir / 'iter_1.pth').unlink()
    torch.save(content(4), work_dir / 'iter_4.pth')
    record.note('iter_4.pth', 4, resumable=True)
    noted = json.loads((work_dir / NAME).read_text())['checkpoints']
    assert sorted(noted) == ['best_mIoU_3.pth', 'iter_2.pth', 'iter_3.pth', 'iter_4.pth']
    assert record.oldest == 2


def test_a_checkpoint_of_another_folder_brings_the_settings_of_its_run(work_dir, tmp_path):
    name, resumes, record = settle(tmp_path / 'new', str(work_dir / 'iter_2.pth'))
    assert (name, resumes) == (str(work_dir / 'iter_2.pth'), True)
    assert record.settings == {'model': {'width': 4}}
    assert record.checkpoints == {}  # nothing of the other folder is removed
    replace(work_dir / 'iter_2.pth')
    assert settle(tmp_path / 'new', str(work_dir / 'iter_2.pth'))[2].settings == {}


@pytest.mark.parametrize(
    ('written', 'given', 'own', 'expected'),
    [
        ({'load_from': 'a.pth'}, 'a.pth', True, ('iter_3.pth', True)),
        ({'load_from': 'a.pth', 'resume': True}, 'a.pth', True, ('iter_3.pth', True)),
        ({'load_from': 'a.pth'}, 'a.pth', False, ('a.pth', False)),
        ({'load_from': 'a.pth', 'resume': True}, 'a.pth', False, ('a.pth', True)),
        ({'load_from': 'a.pth'}, 'b.pth', True, ('b.pth', True)),
        ({}, 'b.pth', False, ('b.pth', True)),
        ({}, None, True, ('iter_3.pth', True)),
        ({}, None, False, (None, False)),
    ],
)
def test_load_from_of_a_config_does_not_replace_the_runs_own_progress(
    work_dir, tmp_path, written, given, own, expected
):
    (tmp_path / 'config.py').write_text(''.join(f'{key} = {value!r}\n' for key, value in written.items()))
    config = Config.fromfile(tmp_path / 'config.py')
    assert settle(work_dir if own else tmp_path / 'empty', given, config)[:2] == expected


@pytest.mark.parametrize(
    ('out_dir', 'folder'),
    [(None, '/w/run'), ('/w/run', '/w/run'), ('/big', '/big/run'), ('/big/run', '/big/run/run'), ('s3://b', None)],
)
def test_checkpoints_are_where_their_hook_writes_them(out_dir, folder):
    found = checkpoint_folder(CheckpointHook(out_dir=out_dir), '/w/run')
    assert (found and str(found)) == folder


@pytest.mark.parametrize(
    ('value', 'own'),
    [
        ('/elsewhere/best_mIoU_3.pth', 'best_mIoU_3.pth'),
        ('C:\\elsewhere\\best_mIoU_3.pth', 'best_mIoU_3.pth'),
        ('/home/thesis.txt', None),
        ('best_mIoU_8.pth', None),
        ('..', None),
        (7, None),
    ],
)
def test_paths_lead_to_checkpoints_that_are_noted_alone(work_dir, value, own):
    (work_dir / 'best_mIoU_8.pth').write_text('mine')
    assert settle(work_dir)[2].own_path(value) == (own and str(work_dir / own))


def test_a_link_in_the_place_of_a_checkpoint_leads_nowhere(work_dir, tmp_path):
    record = settle(work_dir)[2]
    (work_dir / 'best_mIoU_3.pth').unlink()
    (work_dir / 'best_mIoU_3.pth').symlink_to(tmp_path)
    assert record.own_path('best_mIoU_3.pth') is None
