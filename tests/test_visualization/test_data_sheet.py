import cv2
import numpy as np
import pytest

from mmdmt.visualization import draw_predictions
from mmdmt.visualization.sheet import DARK, LIGHT, colored, legend_patches


def test_rows_are_as_tall_as_the_images(tmp_path):
    heights = {}
    for height in (100, 50):
        labels = [np.zeros((height, 100), np.uint8)] * 6
        images = [np.zeros((height, 100, 3), np.uint8)] * 6
        path = tmp_path / f'{height}.png'
        draw_predictions(path, images, labels, {'left': labels, 'right': labels}, ['road'], [[128, 64, 128]])
        heights[height] = cv2.imread(str(path)).shape[0]
    assert heights[100] - heights[50] == pytest.approx(6 * 120, abs=2)  # six rows, at 240 pixels a panel


def test_what_has_no_class_is_striped_and_not_like_a_gray_class():
    label = np.zeros((60, 120))
    label[:, :40], label[:, 40:80] = 255, -1
    picture = colored(label, [[128, 128, 128]], (120, 60))
    assert set(np.unique(picture[:, :80])) == {LIGHT, DARK}
    assert (picture[:, 80:] == 128).all()
    assert [patch.get_label() for patch in legend_patches(['sky'], [[128, 128, 128]], 'ignored')] == ['sky', 'ignored']
