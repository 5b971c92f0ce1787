"""GTA5 as a dataset, and what holds for every dataset with converted masks."""

import numpy as np
import pytest
from mmengine.registry import DATASETS
from mmseg.datasets import CityscapesDataset
from PIL import Image

from mmdmt.method.draws import Draw

SIZES = ((19, 33), (24, 17), (21, 30))
PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def root(tmp_path):
    """The data set, and the masks of it elsewhere."""
    generator = np.random.default_rng(0)
    for folder in ('gta/images', 'gta/labels', 'gta_masks', 'target'):
        (tmp_path / folder).mkdir(parents=True)
    for number, size in enumerate(SIZES, start=1):
        picture = Image.fromarray(generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        picture.save(tmp_path / 'gta' / 'images' / f'{number:05d}.png')
        picture.save(tmp_path / 'target' / f'{number:05d}_leftImg8bit.png')
        labels = Image.fromarray(generator.integers(0, 35, size).astype(np.uint8))
        labels.putpalette(list(range(256)) * 3)
        labels.save(tmp_path / 'gta' / 'labels' / f'{number:05d}.png')
        mask = Image.fromarray(generator.choice([*range(19), 255], size).astype(np.uint8))
        mask.save(tmp_path / 'gta_masks' / f'{number:05d}_labelTrainIds.png')
    return tmp_path


def config(root, **settings):
    return {
        'type': 'mmdmt.GTADataset',
        'data_root': str(root),
        'data_prefix': {'img_path': 'gta/images', 'seg_map_path': 'gta_masks'},
        'pipeline': PIPELINE,
        **settings,
    }


def build(root, **settings):
    return DATASETS.build(config(root, **settings))


def mutual(root, **settings):
    unlabeled = {'type': 'CityscapesDataset', 'data_root': str(root), 'data_prefix': {'img_path': 'target'}}
    return DATASETS.build({'type': 'mmdmt.MutualDataset', 'labeled': config(root, **settings), 'unlabeled': unlabeled})


def test_images_come_with_their_masks_in_order(root):
    dataset = build(root)
    assert len(dataset) == 3
    for number, size in enumerate(SIZES, start=1):
        item = dataset[number - 1]
        expected = np.asarray(Image.open(root / 'gta_masks' / f'{number:05d}_labelTrainIds.png'))
        assert item['inputs'].shape == (3, *size)
        assert np.array_equal(item['data_samples'].gt_sem_seg.data[0], expected)


def test_classes_are_those_of_cityscapes_so_that_the_two_can_be_joined(root):
    assert build(root).metainfo == DATASETS.build({'type': 'CityscapesDataset', 'lazy_init': True}).metainfo
    assert build(root).metainfo['classes'] == CityscapesDataset.METAINFO['classes']


def test_a_set_without_masks_needs_none(root):
    dataset = build(root, data_prefix={'img_path': 'gta/images'}, pipeline=[])
    assert len(dataset) == 3
    assert 'seg_map_path' not in dataset.get_data_info(0)


def test_a_wrong_data_root_is_named_with_what_it_should_lead_to(root):
    with pytest.raises(
        FileNotFoundError, match=r'elsewhere/gta/images \(img_path of mmdmt.GTADataset\) is not a folder: set'
    ):
        build(root / 'elsewhere')
    (root / 'empty').mkdir()
    with pytest.raises(ValueError, match=r"empty names no image for mmdmt.GTADataset.*img_suffix='.png'"):
        build(root, data_prefix={'img_path': 'empty', 'seg_map_path': 'gta_masks'})


def test_masks_that_were_not_converted_are_missed_with_the_script_to_run(root):
    sentence = r'3 of 3 masks of mmdmt.GTADataset do not exist, first .*00001_labelTrainIds.png: run tools/.*/gta.py'
    for masks in ('gta/labels', 'nowhere'):
        with pytest.raises(FileNotFoundError, match=sentence):
            build(root, data_prefix={'img_path': 'gta/images', 'seg_map_path': masks})


def test_one_missing_mask_is_named_and_a_list_goes_round_it(root):
    (root / 'gta_masks' / '00002_labelTrainIds.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 3 masks .* first .*00002_labelTrainIds.png'):
        build(root)
    (root / 'with_masks.txt').write_text('00001\n00003\n')
    assert len(build(root, ann_file='with_masks.txt')) == 2
    with pytest.raises(FileNotFoundError, match=r'no.txt \(ann_file of mmdmt.GTADataset\) does not exist'):
        build(root, ann_file='no.txt')


def test_masks_of_16_bits_are_refused(root):
    Image.fromarray(np.zeros(SIZES[0], np.uint16)).save(root / 'gta_masks' / '00001_labelTrainIds.png')
    with pytest.raises(
        ValueError, match=r'00001_labelTrainIds.png is an image of mode I;16, but a mask has one channel'
    ):
        build(root)


def test_unconverted_colors_are_refused(root):
    Image.fromarray(np.zeros((*SIZES[0], 3), np.uint8)).save(root / 'gta_masks' / '00001_labelTrainIds.png')
    with pytest.raises(ValueError, match='is an image of mode RGB, but a mask has one channel of 8 bits'):
        build(root)


def test_a_label_beyond_the_classes_is_named_when_it_is_drawn(root):
    dataset = mutual(root)
    assert 'gt_sem_seg' in dataset[Draw('left', 0, 1, None)]['data_samples']
    Image.fromarray(np.full(SIZES[0], 33, np.uint8)).save(root / 'gta_masks' / '00001_labelTrainIds.png')
    with pytest.raises(ValueError, match=r'00001_labelTrainIds.png holds label 33, but the 19 classes are 0..18'):
        dataset[Draw('left', 0, 1, None)]


def test_mutual_training_passes_the_sentences_on(root):
    with pytest.raises(FileNotFoundError, match=r'run tools/dataset_converters/gta.py'):
        mutual(root, data_prefix={'img_path': 'gta/images', 'seg_map_path': 'gta/labels'})
