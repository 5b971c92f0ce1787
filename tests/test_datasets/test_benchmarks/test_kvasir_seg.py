import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'PackSegInputs'}]
NAMES = ('cju0qkwl35piu0993l0dewei2', 'cju0qoxqj9q6s0835b43399p4', 'cju0qx73cjw570799j4n5cjze')

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def root(tmp_path):
    generator = np.random.default_rng(0)
    for folder in ('kvasir-seg/images', 'kvasir-seg/masks', 'masks'):
        (tmp_path / folder).mkdir(parents=True)
    for number, name in enumerate(NAMES):
        size = (37 + number, 50 - number)
        picture = Image.fromarray(generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        picture.save(tmp_path / 'kvasir-seg' / 'images' / f'{name}.jpg')
        mask = generator.integers(0, 2, size).astype(np.uint8)
        Image.fromarray(255 * mask).convert('RGB').save(tmp_path / 'kvasir-seg' / 'masks' / f'{name}.jpg')
        Image.fromarray(mask).save(tmp_path / 'masks' / f'{name}.png')
    (tmp_path / 'kvasir-seg' / 'train.txt').write_text('\n'.join(NAMES[:2]))
    return tmp_path


def build(root, masks='masks', **settings):
    return DATASETS.build(
        {
            'type': 'mmdmt.KvasirSEGDataset',
            'data_root': str(root),
            'data_prefix': {'img_path': 'kvasir-seg/images', 'seg_map_path': masks},
            'pipeline': PIPELINE,
            **settings,
        }
    )


def test_images_come_with_masks_of_background_and_polyp(root):
    dataset = build(root)
    assert dataset.metainfo['classes'] == ('background', 'polyp')
    assert len(dataset) == 3
    for number, name in enumerate(NAMES):
        expected = np.asarray(Image.open(root / 'masks' / f'{name}.png'))
        assert np.array_equal(dataset[number]['data_samples'].gt_sem_seg.data[0], expected)


def test_the_official_list_is_an_ann_file(root):
    assert len(build(root, ann_file='kvasir-seg/train.txt')) == 2


def test_published_masks_are_refused(root):
    with pytest.raises(FileNotFoundError, match=r'3 of 3 masks .* run tools/dataset_converters/kvasir_seg.py'):
        build(root, 'kvasir-seg/masks')
    with pytest.raises(ValueError, match='is an image of mode RGB, but a mask has one channel'):
        build(root, 'kvasir-seg/masks', seg_map_suffix='.jpg')


def test_a_wrong_data_root_names_the_folder_of_the_images(root):
    with pytest.raises(FileNotFoundError, match=r'img_path of mmdmt.KvasirSEGDataset\) is not a folder'):
        build(root / 'nowhere')
