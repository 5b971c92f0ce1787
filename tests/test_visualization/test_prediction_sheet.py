import cv2
import numpy as np

from mmdmt.visualization import draw_predictions


def test_rows_are_as_tall_as_the_images(tmp_path):
    heights = {}
    for height in (100, 50):
        labels = [np.zeros((height, 100), np.uint8)] * 6
        images = [np.zeros((height, 100, 3), np.uint8)] * 6
        path = tmp_path / f'{height}.png'
        draw_predictions(path, images, labels, {'left': labels, 'right': labels}, ['road'], [[128, 64, 128]])
        heights[height], width, _ = cv2.imread(str(path)).shape
    assert heights[100] - heights[50] == width / 5 * 6 / 2  # five columns and six rows
