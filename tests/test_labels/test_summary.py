import numpy as np
import pytest
from toys.run_folders import MANIFEST

from mmdmt.labels.quality import Quality
from mmdmt.labels.summary import scalars, table

CLASSES = ['road', 'train', 'sky']
QUALITY = Quality(np.array([20, 0, 10]), np.array([40, 0, 20]), np.array([30, 0, 30]), images=3)


def words(text):
    return [line.split() for line in text.splitlines()]


def test_the_table_names_every_class_and_all():
    assert words(table(MANIFEST, CLASSES)) == [
        ['class', 'labels', 'kept', 'threshold'],
        ['road', '100', '40.00%', '0.5000000'],
        ['train', '0', 'none', 'inf'],
        ['sky', '50', '40.00%', '0.7500000'],
        ['all', '150', '40.00%'],
    ]


def test_precision_and_iou_stand_in_the_table_where_they_are_known():
    got = words(table(MANIFEST, CLASSES, QUALITY))
    assert got[0][-2:] == ['precision', 'IoU']
    assert [row[-2:] for row in got[1:]] == [
        ['50.00%', '40.00%'],
        ['-', '-'],
        ['50.00%', '25.00%'],
        ['50.00%', '32.50%'],
    ]


def test_scalars_have_stable_names_and_leave_out_what_is_not_defined():
    kept = {
        'pseudo/coco/coverage': 40.0,
        'pseudo/coco/coverage/road': 40.0,
        'pseudo/coco/coverage/sky': 40.0,
        'pseudo/coco/threshold/road': 0.5,
        'pseudo/coco/threshold/sky': 0.75,
    }
    assert scalars(MANIFEST, CLASSES) == pytest.approx(kept)
    assert scalars(MANIFEST, CLASSES, QUALITY) == pytest.approx(
        {
            **kept,
            'pseudo/coco/precision': 50.0,
            'pseudo/coco/precision/road': 50.0,
            'pseudo/coco/precision/sky': 50.0,
            'pseudo/coco/mIoU': 32.5,
            'pseudo/coco/iou/road': 40.0,
            'pseudo/coco/iou/sky': 25.0,
        }
    )
