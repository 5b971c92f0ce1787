"""ACDC as a dataset, in the folders as they are published."""

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]
CONDITIONS = ('fog', 'night', 'rain', 'snow')

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def root(tmp_path):
    """Two images of each condition to train on, one to validate and to test on, and references in good weather."""
    generator = np.random.default_rng(0)
    for condition in CONDITIONS:
        for part, count in (('train', 2), ('val', 1), ('test', 1), ('train_ref', 1)):
            for number in range(count):
                name = f'{condition}/{part}/GOPR0475/GOPR0475_frame_{number:06d}'
                for folder, suffix, top in (('rgb_anon', 'rgb_anon', 256), ('gt', 'gt_labelTrainIds', 19)):
                    if folder == 'gt' and part not in ('train', 'val'):
                        continue
                    file = tmp_path / folder / f'{name}_{suffix}.png'
                    file.parent.mkdir(parents=True, exist_ok=True)
                    shape = (6, 10, 3) if folder == 'rgb_anon' else (6, 10)
                    Image.fromarray(generator.integers(0, top, shape).astype(np.uint8)).save(file)
    return tmp_path


def build(root, part, **settings):
    prefix = {'img_path': 'rgb_anon', 'seg_map_path': 'gt'}
    config = {'type': 'mmdmt.ACDCDataset', 'part': part, 'data_root': str(root), 'data_prefix': prefix, **settings}
    return DATASETS.build(config)


def test_a_part_has_the_images_of_all_conditions(root):
    assert [len(build(root, part)) for part in ('train', 'val', 'test')] == [8, 4, 4]
    dataset = build(root, 'test', data_prefix={'img_path': 'rgb_anon'})
    assert [dataset.get_data_info(number)['img_path'].split('/')[-4] for number in range(4)] == list(CONDITIONS)


def test_images_come_with_their_own_masks(root):
    dataset = build(root, 'val', pipeline=PIPELINE)
    for item in dataset:
        sample = item['data_samples']
        mask = sample.img_path.replace('rgb_anon.png', 'gt_labelTrainIds.png').replace('/rgb_anon/', '/gt/')
        assert np.array_equal(sample.gt_sem_seg.data[0], np.asarray(Image.open(mask)))
    assert len(dataset.metainfo['classes']) == 19


@pytest.mark.parametrize(
    ('part', 'settings', 'error', 'sentence'),
    [
        ('training', {}, ValueError, "part='training' of ACDCDataset: give one of 'train'"),
        ('train', {'data_prefix': {'img_path': 'rgb'}}, FileNotFoundError, 'No such file or directory: .*/rgb'),
        ('train', {'data_prefix': {'img_path': 'gt'}}, ValueError, r'gt holds no image of .* fog/train, night/train'),
    ],
)
def test_what_is_not_there_is_named(root, part, settings, error, sentence):
    with pytest.raises(error, match=sentence):
        build(root, part, **settings)
