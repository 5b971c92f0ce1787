import numpy as np
import pytest

from mmdmt.datasets.transforms import IgnoreMargins


def pseudo_labeled(height, width=4):
    label = np.arange(height * width, dtype=np.uint8).reshape(height, width) % 19
    confidence = np.full((height, width), 0.9, np.float32)
    return {'gt_seg_map': label.copy(), 'pseudo_confidence': confidence, 'pseudo_label': ('bank', 0)}, label


def test_the_margins_are_ignored_and_nothing_else_changes():
    results, label = pseudo_labeled(150)
    IgnoreMargins()(results)
    assert (results['gt_seg_map'][:15] == 255).all()
    assert (results['gt_seg_map'][30:] == 255).all()
    assert np.array_equal(results['gt_seg_map'][15:30], label[15:30])
    assert (results['pseudo_confidence'] == np.float32(0.9)).all()


def test_no_margin_changes_nothing_and_another_id_may_be_ignored():
    results, label = pseudo_labeled(5)
    assert np.array_equal(IgnoreMargins(0, 0)(results)['gt_seg_map'], label)
    assert IgnoreMargins(1, 0, ignore_index=0)(results)['gt_seg_map'][0].tolist() == [0] * 4


def test_what_makes_no_margins_is_refused():
    with pytest.raises(ValueError, match='top=-1 of IgnoreMargins: give a whole number >= 0'):
        IgnoreMargins(top=-1, bottom=0)
    with pytest.raises(ValueError, match='leaves no row of an image, which has 135'):
        IgnoreMargins()(pseudo_labeled(135)[0])
    with pytest.raises(ValueError, match='found no pseudo label: put it after LoadPseudoLabel'):
        IgnoreMargins()({'gt_seg_map': np.zeros((200, 4), np.uint8)})
