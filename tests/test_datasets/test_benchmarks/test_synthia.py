import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

SIXTEEN = ('road', 'sidewalk', 'building', 'wall', 'fence', 'pole', 'traffic light', 'traffic sign', 'vegetation',
           'sky', 'person', 'rider', 'car', 'bus', 'motorcycle', 'bicycle')  # fmt: skip
PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def root(tmp_path):
    """The data set and the masks of it elsewhere; and an image of Cityscapes with every label there is."""
    generator = np.random.default_rng(0)
    for folder in ('syn/RGB', 'syn/GT/LABELS', 'masks', 'city'):
        (tmp_path / folder).mkdir(parents=True)
    for number, size in enumerate(((19, 33), (24, 17))):
        picture = Image.fromarray(generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        picture.save(tmp_path / 'syn' / 'RGB' / f'{number:07d}.png')
        raw = generator.integers(0, 23, (*size, 3)).astype(np.uint16)
        cv2.imwrite(str(tmp_path / 'syn' / 'GT' / 'LABELS' / f'{number:07d}.png'), raw)
        mask = Image.fromarray(generator.choice([*range(16), 255], size).astype(np.uint8))
        mask.save(tmp_path / 'masks' / f'{number:07d}_labelTrainIds16.png')
    Image.fromarray(np.zeros((2, 20, 3), np.uint8)).save(tmp_path / 'city' / 'ulm_leftImg8bit.png')
    labels = np.array([[*range(19), 255]] * 2, np.uint8)
    Image.fromarray(labels).save(tmp_path / 'city' / 'ulm_gtFine_labelTrainIds.png')
    return tmp_path


def build(root, images, masks, **settings):
    return DATASETS.build(
        {
            'type': 'mmdmt.SYNTHIADataset',
            'data_root': str(root),
            'data_prefix': {'img_path': images, 'seg_map_path': masks},
            'pipeline': PIPELINE,
            **settings,
        }
    )


def test_images_come_with_masks_of_16_classes(root):
    dataset = build(root, 'syn/RGB', 'masks')
    assert dataset.metainfo['classes'] == SIXTEEN
    assert len(dataset) == 2
    for number in range(2):
        expected = np.asarray(Image.open(root / 'masks' / f'{number:07d}_labelTrainIds16.png'))
        assert np.array_equal(dataset[number]['data_samples'].gt_sem_seg.data[0], expected)


def test_cityscapes_of_these_classes_has_the_same_labels_and_colors(root):
    cityscapes = build(root, 'city', 'city', type='CityscapesDataset', metainfo={'classes': SIXTEEN})
    label = cityscapes[0]['data_samples'].gt_sem_seg.data[0, 0].tolist()
    # terrain, truck and train, 9, 14 and 16 of Cityscapes, are ignored, and the others close up.
    assert label == [0, 1, 2, 3, 4, 5, 6, 7, 8, 255, 9, 10, 11, 12, 255, 13, 255, 14, 15, 255]
    synthia = build(root, 'syn/RGB', 'masks')
    assert cityscapes.metainfo['palette'] == synthia.metainfo['palette']
    joined = {'type': 'ConcatDataset', 'datasets': [synthia, cityscapes], 'ignore_keys': 'label_map'}
    assert len(DATASETS.build(joined)) == 3


def test_labels_as_they_are_published_are_refused(root):
    with pytest.raises(FileNotFoundError, match=r'2 of 2 masks of mmdmt.SYNTHIADataset .* run tools/.*/synthia.py'):
        build(root, 'syn/RGB', 'syn/GT/LABELS')
    # Even by the suffix of the published files: 16 bits and three channels would be cut to nonsense.
    with pytest.raises(ValueError, match=r'0000000.png is an image of mode RGB;16, but a mask has one channel'):
        build(root, 'syn/RGB', 'syn/GT/LABELS', seg_map_suffix='.png')


def test_a_wrong_data_root_names_the_folder_of_the_images(root):
    with pytest.raises(FileNotFoundError, match='lead to the folder RGB of the data set'):
        build(root / 'nowhere', 'RGB', 'masks')
