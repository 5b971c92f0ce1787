import cv2
import numpy as np
import pytest

from mmdmt.visualization import PhaseView, draw_phase
from mmdmt.visualization.phase_sheet import predicted, taught
from mmdmt.visualization.sheet import DARK, LIGHT

CLASSES = ['sky', 'road', 'car']
PALETTE = [[10, 20, 30], [0, 200, 0], [250, 0, 0]]


@pytest.fixture
def view():
    label = np.zeros((20, 40), np.uint8)
    label[:, 10:20], label[:, 20:30] = 1, 255
    weight = np.linspace(0, 1, 800, dtype=np.float32).reshape(20, 40)
    return PhaseView(
        image=np.full((20, 40, 3), (0, 0, 255), np.uint8),
        truth=np.zeros((20, 40), np.uint8),
        predictions={'left': label.clip(max=2), 'right': label.clip(max=2), 'ensemble': label.clip(max=2)},
        pseudo_labels={'left': label, 'right': label},
        weights={'left': weight, 'right': weight},
        taught_by={'left': 'right', 'right': 'left'},
    )


def test_labels_have_the_colors_of_the_palette_and_ignored_is_striped(view):
    (title, picture), *_ = taught(view, PALETTE)
    assert title == 'labels by right\n75% kept, 67% right'
    quarter = picture.shape[1] // 4
    assert (picture[:, : quarter - 1] == PALETTE[0]).all()
    assert (picture[:, quarter + 1 : 2 * quarter - 1] == PALETTE[1]).all()
    assert set(np.unique(picture[:, 2 * quarter + 1 : 3 * quarter - 1])) == {LIGHT, DARK}


def test_weights_are_drawn_beside_labels_and_not_where_those_are_dropped(view):
    titles = [title.split('\n')[0] for title, _ in taught(view, PALETTE)]
    assert titles == ['labels by right', 'their weight for left', 'labels by left', 'their weight for right']
    picture = list(taught(view, PALETTE))[1][1]
    quarter = picture.shape[1] // 4
    assert set(np.unique(picture[:, 2 * quarter + 1 : 3 * quarter - 1])) == {LIGHT, DARK}
    assert (picture[0, 0] < picture[-1, -1]).any()


def test_the_image_keeps_its_colors_and_shape(view):
    titles, pictures = zip(*predicted(view, PALETTE), strict=True)
    assert titles == ('image', 'truth', 'left', 'right', 'ensemble')
    assert (pictures[0] == (255, 0, 0)).all()
    assert pictures[0].shape[1] == 2 * pictures[0].shape[0]


@pytest.mark.parametrize('size', [(20, 40), (700, 300)])
def test_the_file_holds_the_sheet(view, tmp_path, size):
    arrays = {'image': np.zeros((*size, 3), np.uint8), 'predictions': {'left': np.ones(size, np.uint8)}}
    plain = PhaseView(**arrays)
    path = tmp_path / 'new' / 'sheet.png'
    sheet = draw_phase(path, view if size == (20, 40) else plain, 'phase 1', CLASSES, PALETTE)
    assert np.array_equal(cv2.imread(str(path))[..., ::-1], sheet)
    assert (sheet == PALETTE[1]).all(axis=2).sum() > 500
