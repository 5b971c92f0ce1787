import numpy as np
import pytest

from mmdmt.datasets.transforms import EvaluateAtThisSize


def test_the_present_size_becomes_the_original_one():
    results = {'img_shape': (5, 8), 'ori_shape': (10, 16), 'gt_seg_map': np.zeros((5, 8), np.uint8)}
    assert EvaluateAtThisSize()(results)['ori_shape'] == (5, 8)


def test_without_ground_truth_it_is_the_same():
    assert EvaluateAtThisSize()({'img_shape': (5, 8), 'ori_shape': (10, 16)})['ori_shape'] == (5, 8)


def test_ground_truth_of_another_size_is_refused_by_name():
    results = {'img_shape': (5, 8), 'ori_shape': (10, 16), 'gt_seg_map': np.zeros((10, 16)), 'seg_map_path': 'a.png'}
    with pytest.raises(ValueError, match=r'a\.png is \(10, 16\) and its image \(5, 8\).*before Resize'):
        EvaluateAtThisSize()(results)
