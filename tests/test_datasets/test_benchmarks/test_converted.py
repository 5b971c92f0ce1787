"""Data sets whose masks are converted into a folder of their own."""

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS
from mmseg.datasets import CityscapesDataset
from PIL import Image

from mmdmt.method.draws import Draw

SIXTEEN = ('road', 'sidewalk', 'building', 'wall', 'fence', 'pole', 'traffic light', 'traffic sign', 'vegetation',
           'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle')  # fmt: skip
SIZES = ((19, 33), (24, 17), (21, 30))
PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]
# Of each data set: its classes, the published folders, how files there end, and how converted masks end.
SETS = {
    'GTA': (CityscapesDataset.METAINFO['classes'], 'images', 'labels', '.png', '_labelTrainIds.png'),
    'KvasirSEG': (('background', 'polyp'), 'images', 'masks', '.jpg', '.png'),
    'SYNTHIA': (SIXTEEN, 'RGB', 'GT/LABELS', '.png', '_labelTrainIds16.png'),
    'CamVid': (None, 'train', 'trainannot', '.png', '.png'),
}

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def root(tmp_path):
    """Three images of each data set as it is published, and the converted masks elsewhere."""
    generator = np.random.default_rng(0)
    for name, (classes, images, labels, ends, mask_ends) in SETS.items():
        for folder in (f'{name}/{images}', f'{name}/{labels}', f'{name}_masks', 'target'):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number, size in enumerate(SIZES):
            pixels = generator.integers(0, 256, (*size, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / images / f'{number}{ends}')
            Image.fromarray(pixels).save(tmp_path / 'target' / f'{number}_leftImg8bit.png')
            published = pixels.astype(np.uint16) if name == 'SYNTHIA' else pixels
            cv2.imwrite(str(tmp_path / name / labels / f'{number}{ends}'), published)
            mask = generator.choice([*range(len(classes or range(11))), 255], size).astype(np.uint8)
            Image.fromarray(mask).save(tmp_path / f'{name}_masks' / f'{number}{mask_ends}')
    return tmp_path


def config(root, name='GTA', **settings):
    prefix = {'img_path': f'{name}/{SETS[name][1]}', 'seg_map_path': f'{name}_masks'}
    data = {'type': f'mmdmt.{name}Dataset', 'data_root': str(root), 'data_prefix': prefix, 'pipeline': PIPELINE}
    return {**data, **settings}


def build(root, name='GTA', masks='', **settings):
    data = config(root, name, **settings)
    data['data_prefix'] = {**data['data_prefix'], **({'seg_map_path': masks} if masks else {})}
    return DATASETS.build(data)


def mutual(root, **settings):
    unlabeled = {'type': 'CityscapesDataset', 'data_root': str(root), 'data_prefix': {'img_path': 'target'}}
    return DATASETS.build({'type': 'mmdmt.MutualDataset', 'labeled': config(root, **settings), 'unlabeled': unlabeled})


@pytest.mark.parametrize('name', SETS)
def test_images_come_with_their_masks_in_order(root, name):
    dataset = build(root, name)
    assert dataset.metainfo['classes'] == SETS[name][0] or name == 'CamVid'
    assert len(dataset) == len(SIZES)
    for number, size in enumerate(SIZES):
        expected = np.asarray(Image.open(root / f'{name}_masks' / f'{number}{SETS[name][4]}'))
        assert dataset[number]['inputs'].shape == (3, *size)
        assert np.array_equal(dataset[number]['data_samples'].gt_sem_seg.data[0], expected)
    (root / 'two.txt').write_text('0\n2\n')
    assert len(build(root, name, ann_file='two.txt')) == 2


def test_synthia_can_be_joined_with_cityscapes_of_its_classes(root):
    (root / 'city').mkdir()
    Image.fromarray(np.zeros((2, 20, 3), np.uint8)).save(root / 'city' / 'ulm_leftImg8bit.png')
    labels = np.array([[*range(19), 255]] * 2, np.uint8)
    Image.fromarray(labels).save(root / 'city' / 'ulm_gtFine_labelTrainIds.png')
    prefix = {'img_path': 'city', 'seg_map_path': 'city'}
    cityscapes = build(root, type='CityscapesDataset', data_prefix=prefix, metainfo={'classes': SIXTEEN})
    # terrain, truck and train, 9, 14 and 16 of Cityscapes, are ignored, and the others close up.
    expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 255, 9, 10, 11, 12, 255, 13, 255, 14, 15, 255]
    assert cityscapes[0]['data_samples'].gt_sem_seg.data[0, 0].tolist() == expected
    synthia = build(root, 'SYNTHIA')
    assert cityscapes.metainfo['palette'] == synthia.metainfo['palette']
    joined = {'type': 'ConcatDataset', 'datasets': [synthia, cityscapes], 'ignore_keys': 'label_map'}
    assert len(DATASETS.build(joined)) == 4


def test_a_set_without_masks_needs_none(root):
    dataset = build(root, data_prefix={'img_path': 'GTA/images'}, pipeline=[])
    assert len(dataset) == 3
    assert 'seg_map_path' not in dataset.get_data_info(0)


def test_mutual_training_names_what_was_not_converted_and_a_label_beyond_the_classes(root):
    dataset = mutual(root)
    assert 'gt_sem_seg' in dataset[Draw('left', 0, 1, None)]['data_samples']
    Image.fromarray(np.full(SIZES[0], 33, np.uint8)).save(root / 'GTA_masks' / '0_labelTrainIds.png')
    with pytest.raises(ValueError, match=r'0_labelTrainIds.png holds label 33, but the 19 classes are 0..18'):
        dataset[Draw('left', 0, 1, None)]
    with pytest.raises(FileNotFoundError, match=r'3 masks do not exist: .* that its converter has been run'):
        mutual(root, data_prefix={'img_path': 'GTA/images', 'seg_map_path': 'GTA/labels'})
    with pytest.raises(
        FileNotFoundError, match=r'nowhere \(seg_map_path of the labeled dataset.*converter of the data'
    ):
        mutual(root, data_prefix={'img_path': 'GTA/images', 'seg_map_path': 'nowhere'})
