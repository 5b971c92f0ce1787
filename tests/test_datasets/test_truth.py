"""The labels of unlabeled images, as reports read them."""

import shutil

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS
from toys.segmentation import CLASSES, TRAIN_PIPELINE, mutual_dataset, shapes

MASKS = {'img_path': 'images', 'seg_map_path': 'masks'}


@pytest.fixture
def folder(shapes_folder, tmp_path):
    """The shapes with a mask of the first unlabeled image, number 006, alone."""
    shutil.copytree(shapes_folder, tmp_path / 'shapes')
    write_mask(tmp_path / 'shapes', mask_of(cv2.imread(str(shapes_folder / 'images' / '006.png'))))
    return tmp_path / 'shapes'


def mask_of(image):
    """Find the shapes by their colors."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for label, color in ((1, (200, 80, 80)), (2, (80, 200, 80))):
        mask[(image == color).all(axis=2)] = label
    return mask


def write_mask(folder, mask):
    cv2.imwrite(str(folder / 'masks' / '006.png'), mask)


def build(folder, **unlabeled):
    config = mutual_dataset(folder)
    config['unlabeled'] = shapes(folder, 'unlabeled.txt', **{'data_prefix': MASKS, **unlabeled})
    return DATASETS.build(config)


@pytest.mark.usefixtures('mmseg_scope')
class TestMasks:
    def test_a_mask_is_read_as_it_is_a_missing_one_is_none_and_no_item_has_it(self, folder):
        dataset = build(folder)
        assert dataset.has_truth()
        assert np.array_equal(dataset.truth(0), cv2.imread(str(folder / 'masks' / '006.png'), cv2.IMREAD_UNCHANGED))
        assert len(np.unique(dataset.truth(0))) > 1
        assert dataset.truth(1) is None
        assert 'gt_sem_seg' not in dataset.labeling_item(0)['data_samples']
        assert 'seg_map_path' not in dataset._image(0)
        dataset = build(folder, data_prefix={'img_path': 'images'})
        assert not dataset.has_truth()
        assert dataset.truth(0) is None

    def test_it_is_moved_like_the_image_before_it_is_labeled(self, folder):
        resize = {'type': 'Resize', 'scale': (24, 20), 'keep_ratio': False}
        flip, load = {'type': 'RandomFlip', 'prob': 1.0}, {'type': 'mmdmt.LoadPseudoLabel'}
        rest = [*TRAIN_PIPELINE[2:-1], {'type': 'mmdmt.PackPseudoLabel'}]
        dataset = build(folder, pipeline=[{'type': 'LoadImageFromFile'}, resize, flip, load, *rest])
        mask = cv2.imread(str(folder / 'masks' / '006.png'), cv2.IMREAD_UNCHANGED)
        expected = cv2.resize(mask, (24, 20), interpolation=cv2.INTER_NEAREST)[:, ::-1]
        assert dataset.truth(0).shape == tuple(dataset.labeling_item(0)['inputs'].shape[1:])
        assert np.array_equal(dataset.truth(0), expected)

    def test_another_zero_label_than_that_of_the_labeled_set_is_no_matter(self, folder):
        dataset = build(folder, reduce_zero_label=True)
        dataset.labeled[0]
        mask = cv2.imread(str(folder / 'masks' / '006.png'), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(dataset.truth(0), mask - np.uint8(1))

    def test_a_mask_that_is_none_is_named(self, folder):
        dataset = build(folder)
        write_mask(folder, np.full((40, 44), len(CLASSES), np.uint8))
        with pytest.raises(ValueError, match=r'masks/006.png holds label 3, but the 3 classes are 0..2 and 255 is'):
            dataset.truth(0)
        (folder / 'masks' / '006.png').write_bytes(b'no image')
        with pytest.raises(ValueError, match=r'masks/006.png cannot be read .*: replace it'):
            dataset.truth(0)


@pytest.fixture
def classes_folder(tmp_path):
    """Images in class folders, and a list of unlabeled ones of which the second has a class that there is not."""
    for number in range(5):
        path = tmp_path / ('train', 'pool')[number > 1] / 'ab'[number % 2] / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((8, 8, 3), number, np.uint8))
    (tmp_path / 'pool.txt').write_text('a/2.png 0\nb/3.png 7\na/4.png 1\n')
    return tmp_path


@pytest.mark.parametrize('known', [True, False])
def test_classes_are_read_where_the_list_names_them(classes_folder, known):
    from mmengine.registry import DefaultScope, init_default_scope

    init_default_scope('mmpretrain')
    common = {'type': 'CustomDataset', 'metainfo': {'classes': ('a', 'b')}, 'data_root': str(classes_folder)}
    pool = {'ann_file': 'pool.txt', 'data_prefix': 'pool'} if known else {'data_prefix': 'pool', 'with_label': False}
    pipeline = [{'type': 'LoadImageFromFile'}, {'type': 'PackInputs'}]
    labeled = {**common, 'data_prefix': 'train', 'pipeline': pipeline}
    dataset = DATASETS.build({'type': 'mmdmt.MutualDataset', 'labeled': labeled, 'unlabeled': {**common, **pool}})
    DefaultScope._instance_dict.clear()
    assert dataset.has_truth() == known
    assert 'gt_label' not in dataset.labeling_item(0)['data_samples']
    if known:
        assert [dataset.truth(index).tolist() for index in (0, 2)] == [[0], [1]]
        with pytest.raises(ValueError, match=r'3.png is 7, but the 2 classes are 0..1'):
            dataset.truth(1)
    else:
        assert dataset.truth(0) is None
