"""What the configs of VOC and Cityscapes read from folders that look like the official ones."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.structures import PixelData
from mmseg.models import EncoderDecoder
from mmseg.structures import SegDataSample
from PIL import Image
from toys.voc_and_cityscapes import CITYSCAPES_SIZE, VOC_SIZES, make_cityscapes, make_voc

from mmdmt.config_table import compose
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.method.draws import Draw

CONFIGS = Path(__file__).parents[2] / 'configs'
VOC = 'voc/dmt_deeplabv2-r101_1xb8_voc12aug-{}-321x321.py'
HALF = 'cityscapes/dmt_deeplabv2-r101_1xb8_cityscapes-{}-half-512x1024.py'
HALF_ORACLE = 'cityscapes/oracle_deeplabv2-r101_1xb8_cityscapes-all-half-512x1024.py'
FULL = 'dmt_deeplabv3plus-r101_1xb8_cityscapes-unimatch1of8-769x769'

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Where a user runs the scripts: with data/ and splits/."""
    root = tmp_path_factory.mktemp('run')
    make_voc(root)
    return make_cityscapes(root)


@pytest.fixture
def load(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda name: Config.fromfile(CONFIGS / name) if name.endswith('.py') else compose(name)


def write_bank(dataset, folder):
    """Pseudo labels of the labeling size: class 1 left, 2 right, confidence rising from left to right."""
    with BankWriter(folder) as writer:
        for image in range(dataset.num_unlabeled()):
            height, width = dataset.labeling_item(image)['inputs'].shape[1:]
            label = np.ones((height, width), np.uint8)
            label[:, width // 2 :] = 2
            ramp = np.linspace(0.5, 1, width, dtype=np.float32)
            writer.write(image, label, np.broadcast_to(ramp, (height, width)).copy())
    classes = len(dataset.metainfo['classes'])
    ones = (1,) * classes
    images = dataset.num_unlabeled()
    Manifest('run', 1, 'a', '', images, dataset.names_digest(), 1.0, (0.0,) * classes, ones, ones, 1).write(folder)
    return str(folder)


def draws(dataset, image, bank=None, count=40):
    return [dataset[Draw('coco', image, seed, bank)] for seed in range(count)]


@pytest.mark.parametrize('name', [VOC.format(part) for part in ('1of106', '1of50', '1of20', '1of8', 'sbd')])
def test_voc_data_load(load, name):
    config = load(name)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (4, 5)
    assert len(dataset.metainfo['classes']) == 21
    for path in config.custom_hooks[0].get('warm_up_lists', {}).values():
        assert len(dataset.labeled_indices(path)) == 3


def test_voc_training_images_are_scaled_by_one_factor_cropped_and_flipped(load):
    dataset = DATASETS.build(load(VOC.format('1of20')).train_dataloader.dataset)
    for image, size in enumerate(VOC_SIZES):
        samples = [item['data_samples'] for item in draws(dataset, image)]
        factors = np.array([sample.img_shape for sample in samples]) / size
        assert abs(factors[:, 0] - factors[:, 1]).max() < 0.06  # rounded to whole pixels
        assert 0.45 < factors.min() < 0.65
        assert 1.35 < factors.max() < 1.55
        assert {sample.flip for sample in samples} == {True, False}
        assert all(set(np.unique(sample.gt_sem_seg.data)) <= {*range(21), 255} for sample in samples)


def test_voc_crops_have_321_pixels_and_peers_pad_smaller_images(load):
    config = load(VOC.format('1of20'))
    crop = next(step for step in config.train_pipeline if step.type == 'RandomCrop')
    assert crop.crop_size == (321, 321)
    assert {tuple(peer.data_preprocessor.size) for peer in config.model.peers.values()} == {(321, 321)}


@pytest.mark.parametrize('number', [0, 1])
def test_voc_masks_are_read_as_class_ids_from_palette_and_grey_files(load, folder, number):
    dataset = DATASETS.build(load(VOC.format('1of20')).val_dataloader.dataset)
    path = dataset.get_data_info(number)['seg_map_path']
    assert {Image.open(path).mode for path in Path(path).parent.iterdir()} == {'P', 'L'}
    sample = dataset[number]['data_samples']
    expected = np.asarray(Image.open(path))
    assert np.array_equal(sample.gt_sem_seg.data[0], expected)
    assert sample.ori_shape == sample.img_shape == expected.shape


def test_voc_unlabeled_images_are_labeled_at_their_own_size(load, tmp_path):
    dataset = DATASETS.build(load(VOC.format('1of20')).train_dataloader.dataset)
    assert [tuple(dataset.labeling_item(n)['inputs'].shape[1:]) for n in range(4)] == list(VOC_SIZES)
    bank = write_bank(dataset, tmp_path / 'bank')
    for item in draws(dataset, 2, bank):
        check_pseudo_labeled(item)


def check_pseudo_labeled(item):
    """Label and confidence went through one and the same scaling, crop and flip."""
    sample = item['data_samples']
    label, confidence = sample.gt_sem_seg.data, sample.pseudo_confidence.data
    assert label.shape == confidence.shape == (1, *item['inputs'].shape[1:])
    assert (confidence[label == 1] < 0.76).all()
    assert (confidence[label == 2] > 0.74).all()


def test_the_oracle_of_voc_reads_the_whole_training_list(load):
    config = load('voc/oracle_deeplabv2-r101_1xb8_voc12aug-all-321x321.py')
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert len(dataset) == 9
    item = dataset[0]
    assert item['data_samples'].gt_sem_seg.shape == tuple(item['inputs'].shape[1:])


@pytest.mark.parametrize('name', [HALF.format('1of8'), HALF.format('1of30'), FULL])
def test_cityscapes_data_load(load, name):
    dataset = DATASETS.build(load(name).train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (4, 5)
    assert len(dataset.metainfo['classes']) == 19


def test_cityscapes_at_half_resolution_is_resized_before_anything_else(load, tmp_path):
    dataset = DATASETS.build(load(HALF.format('1of8')).train_dataloader.dataset)
    for number in range(5):
        assert dataset.labeling_item(number)['inputs'].shape == (3, 512, 1024)
    items = draws(dataset, 0, count=12)
    assert {tuple(item['inputs'].shape) for item in items} == {(3, 256, 512)}
    assert all(set(np.unique(item['data_samples'].gt_sem_seg.data)) <= {*range(19), 255} for item in items)
    bank = write_bank(dataset, tmp_path / 'bank')
    for item in draws(dataset, 1, bank, count=12):
        assert tuple(item['inputs'].shape) == (3, 256, 512)
        check_pseudo_labeled(item)


@pytest.mark.parametrize('name', [HALF.format('1of8'), HALF_ORACLE])
def test_cityscapes_at_half_resolution_is_validated_there(load, name):
    dataset = DATASETS.build(load(name).val_dataloader.dataset)
    item = dataset[0]
    sample = item['data_samples']
    mask = np.asarray(Image.open(sample.seg_map_path))
    assert mask.shape == CITYSCAPES_SIZE
    assert item['inputs'].shape == (3, 512, 1024)
    assert sample.ori_shape == sample.img_shape == sample.gt_sem_seg.shape == (512, 1024)
    # Nearest neighbor: no class that is not in the file.
    assert set(np.unique(sample.gt_sem_seg.data)) == set(np.unique(mask))
    # The toolbox's own last step gives predictions of that size.
    logits = item['inputs'].float().mean(0).repeat(1, 19, 1, 1)[..., ::8, ::8]
    (result,) = EncoderDecoder.postprocess_result(_Head(), logits, [SegDataSample(metainfo=sample.metainfo)])
    assert isinstance(result.pred_sem_seg, PixelData)
    assert result.pred_sem_seg.shape == (512, 1024)


class _Head:
    """What ``postprocess_result`` asks of a segmentor."""

    align_corners = True
    out_channels = 19


def test_cityscapes_at_full_resolution_is_left_as_it_is(load):
    config = load(FULL)
    labeled = DATASETS.build(config.train_dataloader.dataset).labeling_item(0)
    sample = DATASETS.build(config.val_dataloader.dataset)[0]['data_samples']
    assert tuple(labeled['inputs'].shape[1:]) == CITYSCAPES_SIZE
    assert sample.ori_shape == sample.gt_sem_seg.shape == CITYSCAPES_SIZE


def test_another_place_of_the_data_is_set_by_data_root(load, folder, tmp_path, monkeypatch):
    config = load(VOC.format('1of20'))
    monkeypatch.chdir(folder)
    (tmp_path / 'elsewhere').symlink_to(folder / 'data' / 'VOCdevkit' / 'VOC2012')
    place = str(tmp_path / 'elsewhere')
    config.merge_from_dict(
        {f'train_dataloader.dataset.{part}.data_root': place for part in ('labeled', 'unlabeled')}
        | {'val_dataloader.dataset.data_root': place}
    )
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert dataset.labeled.get_data_info(0)['img_path'].startswith(place)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (4, 5)


def test_the_lists_of_another_split_are_set_by_one_option_or_by_their_files(load, folder):
    config = load(VOC.format('1of20'))
    config.merge_from_dict({'train_dataloader.dataset.lists': 'splits/voc12aug/split1/{}_1of20.txt'})
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert Path(dataset.labeled.get_data_info(0)['img_path']).stem == '2008_000005'
    lists = folder / 'splits' / 'voc12aug' / 'split0'
    for part in ('labeled', 'unlabeled'):
        config.merge_from_dict({f'train_dataloader.dataset.{part}.ann_file': str(lists / f'{part}_1of20.txt')})
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert Path(dataset.labeled.get_data_info(0)['img_path']).stem != '2008_000005'
    config.train_dataloader.dataset.lists = 'splits/voc12aug/split1'
    with pytest.raises(ValueError, match=r"lists='splits/voc12aug/split1' .* names no two lists: give a path with {}"):
        DATASETS.build(config.train_dataloader.dataset)
