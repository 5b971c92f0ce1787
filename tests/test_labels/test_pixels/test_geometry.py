import itertools

import pytest
from mmengine.registry import DATASETS, TRANSFORMS
from toys.segmentation import mutual_dataset

from mmdmt.labels.pixels.geometry import check_moves_alike

pytestmark = pytest.mark.usefixtures('mmseg_scope')

MOVED_ALIKE = {
    'Resize': {'scale': (70, 50), 'keep_ratio': True},
    'RandomResize': {'scale': (80, 60), 'ratio_range': (0.5, 2.0), 'keep_ratio': True},
    'RandomCrop': {'crop_size': (32, 32), 'cat_max_ratio': 0.75},
    'RandomFlip': {'prob': 0.5, 'direction': ['horizontal', 'vertical']},
    'RandomRotate': {'prob': 1.0, 'degree': 20, 'seg_pad_val': 255},
    'RandomChoiceResize': {'scales': [40, 50, 60], 'resize_type': 'ResizeShortestEdge', 'max_size': 100},
    'PhotoMetricDistortion': {},
    'RandomCutOut': {'prob': 1.0, 'n_holes': 2, 'cutout_shape': (8, 8), 'fill_in': (0, 0, 0)},
}
LABEL_ALONE = {
    'Pad': {'size': (90, 90)},
    'CenterCrop': {'crop_size': 24},
}


def built(*names):
    return [TRANSFORMS.build({'type': name, **{**MOVED_ALIKE, **LABEL_ALONE}[name]}) for name in names]


@pytest.mark.parametrize('pair', itertools.permutations(MOVED_ALIKE, 2), ids='-'.join)
def test_stock_transforms_move_label_and_confidence_alike_in_any_order(pair):
    check_moves_alike(built(*pair))


@pytest.mark.parametrize('other', ['Resize', 'RandomResize', 'RandomFlip', 'RandomRotate'])
@pytest.mark.parametrize('alone', LABEL_ALONE)
def test_a_transform_that_moves_the_label_alone_is_named(alone, other):
    with pytest.raises(ValueError, match=f'{alone} in the pipeline of the unlabeled dataset .*confidence'):
        check_moves_alike(built(alone, other))


def test_padding_at_the_end_is_no_label_and_so_allowed():
    check_moves_alike(built('RandomCrop', 'RandomFlip', 'Pad', 'PhotoMetricDistortion'))


def test_padding_with_a_class_is_refused():
    rotate = TRANSFORMS.build({'type': 'RandomRotate', 'prob': 1.0, 'degree': 20, 'seg_pad_val': 0})
    with pytest.raises(ValueError, match='RandomRotate .* fills in label 0, where 255 is ignored'):
        check_moves_alike([rotate])


def test_a_dataset_is_refused_when_it_is_built(shapes_folder):
    config = mutual_dataset(shapes_folder)
    pipeline = [*config['labeled']['pipeline']]
    pipeline.insert(2, {'type': 'Pad', 'size': (96, 96)})
    config['labeled'] = {**config['labeled'], 'pipeline': pipeline}
    with pytest.raises(ValueError, match='Pad in the pipeline of the unlabeled dataset'):
        DATASETS.build(config)


def test_a_transform_that_needs_more_than_an_image_ends_the_check():
    def needs_a_file(results):
        return {**results, 'scene': results['scene']}

    check_moves_alike([needs_a_file, *built('Pad')])
