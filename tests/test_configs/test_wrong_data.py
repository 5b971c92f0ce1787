"""What is wrong with the data of a config is said in one sentence: the file, what is wrong, what to do."""

import shutil

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from PIL import Image
from test_data_of_configs import CONFIGS, HALF, VOC
from test_domain_adaptation import NAME, make_sources
from toys.voc_and_cityscapes import make_cityscapes, make_voc

from mmdmt.method.draws import Draw

GTA, SYNTHIA = (f'domain_adaptation/{NAME.format(source)}' for source in ('gta', 'synthia'))
DATA = {
    # What makes the folder, a config of it, its image folder, its masks of labeled images, its classes.
    'voc': (
        make_voc,
        VOC.format('1of20'),
        'VOCdevkit/VOC2012/JPEGImages',
        'VOCdevkit/VOC2012/SegmentationClassAug/*.png',
        21,
    ),
    'cityscapes': (
        make_cityscapes,
        HALF.format('1of8'),
        'cityscapes/leftImg8bit/train',
        'cityscapes/gtFine/train/*/*_labelTrainIds.png',
        19,
    ),
    'gta': (make_sources, GTA, 'gta/images', 'gta_masks/*.png', 19),
    'synthia': (make_sources, SYNTHIA, 'RAND_CITYSCAPES/RGB', 'synthia_masks/*.png', 16),
}

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture(params=DATA)
def data(request, tmp_path, monkeypatch):
    make, config, images, masks, classes = DATA[request.param]
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    return config, tmp_path / 'data' / images, sorted((tmp_path / 'data').glob(masks)), classes


def build(config, **changes):
    config = Config.fromfile(CONFIGS / config)
    config.merge_from_dict(changes)
    return DATASETS.build(config.train_dataloader.dataset)


def draw_all(dataset):
    for image in range(len(dataset.labeled)):
        dataset[Draw('coco', image, 0, None)]


def test_a_data_root_without_data_is_named(data):
    config, images, _, _ = data
    images.rename(images.with_name('elsewhere'))
    with pytest.raises(FileNotFoundError, match=rf'{images.name}\b.*\(img_path of .*data_root'):
        build(config)


def test_another_data_root_is_named(data):
    config, _, _, _ = data
    with pytest.raises(FileNotFoundError, match=r'nowhere/.* \(img_path of .*data_root'):
        build(config, **{f'train_dataloader.dataset.{part}.data_root': 'nowhere' for part in ('labeled', 'unlabeled')})


def test_masks_that_the_converter_has_not_written_are_named(data):
    config, _, masks, _ = data
    for mask in masks:
        mask.unlink()
    with pytest.raises(FileNotFoundError, match=r'converter.*(labelTrainIds|SegmentationClassAug)|masks of mmdmt'):
        build(config)


def test_lists_that_were_not_made_are_named(data):
    config, _, _, _ = data
    if config in (GTA, SYNTHIA):
        pytest.skip('reads no list')
    shutil.rmtree('splits')
    with pytest.raises(FileNotFoundError, match=r'labeled_1of.*\.txt \(ann_file of .*make_splits'):
        build(config)


def test_a_label_beyond_the_classes_is_named(data):
    config, _, masks, classes = data
    for mask in masks:
        Image.fromarray(np.full(Image.open(mask).size[::-1], 40, np.uint8)).save(mask)
    with pytest.raises(ValueError, match=rf'\.png .*holds label 40, but the {classes} classes are 0\.\.{classes - 1}'):
        draw_all(build(config))
