import cv2
import numpy as np
import torch
from mmengine.registry import MODELS
from toys.segmentation import CLASSES, run_config
from toys.tools import load_tool


def test_masks_of_the_truth_and_of_each_run_are_drawn_without_photographs(shapes_folder, tmp_path, mmseg_scope):
    palette = [[0, 0, 0], [255, 0, 0], [0, 255, 0]]
    runs = {}
    for name in ('one', 'other'):
        config = run_config(shapes_folder, tmp_path / name)
        (tmp_path / name).mkdir()
        config.dump(tmp_path / name / 'config.py')
        weights = {'state_dict': MODELS.build(config.model).state_dict()}
        meta = {'dataset_meta': {'classes': CLASSES, 'palette': palette}}
        torch.save({**weights, 'meta': meta}, tmp_path / name / 'iter_9.pth')
        runs[name] = tmp_path / name
    load_tool('draw_rows').draw_rows(tmp_path / 'rows.png', runs, 2)
    picture = cv2.imread(str(tmp_path / 'rows.png'))[..., ::-1]
    rows = 3 * 240  # panels of two inches at 120 dots
    assert picture.shape[0] > rows
    assert picture.shape[1] > 2 * 240
    plain = [color for color in palette if (picture == color).all(axis=2).any()]
    assert len(plain) > 1
    colored = picture[np.ptp(picture.astype(int), axis=2) > 40]
    assert set(map(tuple, colored)) >= {tuple(color) for color in plain[1:]}
