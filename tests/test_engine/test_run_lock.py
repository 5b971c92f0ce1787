import pytest
from mmengine.config import Config
from toys.forked import python

from mmdmt.engine.locked_runner import _keep_config
from mmdmt.engine.run_lock import enter_work_dir


@pytest.mark.parametrize('name', ['last_checkpoint', 'iter_5.pth', '.lock', 'mine.py', 'pseudo_labels', 'best_weights'])
def test_a_link_where_a_run_writes_is_refused(tmp_path, name):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / name).symlink_to(tmp_path / 'thesis')
    with pytest.raises(RuntimeError, match=f'{name} is a link to .*thesis, and nothing is written or removed through'):
        enter_work_dir(tmp_path / 'run')
    assert not (tmp_path / 'thesis').exists()


def test_a_link_below_the_banks_is_refused_and_any_other_is_not(tmp_path):
    (tmp_path / 'pseudo_labels' / 'run').mkdir(parents=True)
    (tmp_path / 'notes').symlink_to(tmp_path)
    enter_work_dir(tmp_path)
    (tmp_path / 'pseudo_labels' / 'run' / 'phase_1').symlink_to(tmp_path)
    with pytest.raises(RuntimeError, match='phase_1 is a link'):
        enter_work_dir(tmp_path)


@pytest.mark.process
def test_a_folder_that_another_process_has_is_refused(tmp_path):
    enter_work_dir(tmp_path)
    code = (
        'import sys\nfrom pathlib import Path\nfrom mmdmt.engine.run_lock import enter_work_dir\n'
        f'try: enter_work_dir(Path({str(tmp_path)!r}))\nexcept RuntimeError as error: print(error)'
    )
    other = python('-c', code)
    assert 'Another run is writing to work_dir=' in other.stdout


def test_the_users_own_config_is_kept_and_a_dumped_one_may_be_dumped_again(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text('# my notes\nvalue = 1\n')
    with pytest.raises(RuntimeError, match='holds the config .*mine.py, which the merged config of the run would'):
        _keep_config(tmp_path, str(config))
    _keep_config(tmp_path / 'elsewhere', str(config))
    Config({'value': 1, 'names': ['a', 'b']}).dump(config)
    _keep_config(tmp_path, str(config))
