import pytest

from mmdmt.engine.phase_labels import PhaseLabels
from mmdmt.method.phases import Curriculum


@pytest.mark.parametrize(('keep', 'left'), [(0, {0, 1, 2, 3}), (1, {3}), (2, {2, 3}), (9, {0, 1, 2, 3})])
def test_old_banks_are_removed_by_a_setting(tmp_path, keep, left):
    labels = PhaseLabels(Curriculum.from_configs([{'iters': 2, 'labeled': 1}] * 4), {}, keep, None)
    labels.begin(tmp_path, 'run')
    for phase in range(4):
        (labels.folder(phase) / 'coco').mkdir(parents=True)
    (tmp_path / 'pseudo_labels' / 'run' / 'mine').mkdir()
    labels.remove(7)
    assert {path.name for path in labels.folder(0).parent.iterdir()} == {'mine', *(f'phase_{n}' for n in left)}
