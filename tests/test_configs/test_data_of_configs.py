"""What configs read from folders that look like the official ones, and what is said where those are not right."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmseg.models import EncoderDecoder
from mmseg.structures import SegDataSample
from PIL import Image
from toys.adverse_conditions import make_adverse_conditions
from toys.camvid import HEIGHT, WIDTH, make_camvid
from toys.voc_and_cityscapes import CITYSCAPES_SIZE, VOC_SIZES, make_cityscapes, make_kvasir, make_sources, make_voc

from mmdmt.config_table import compose
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.method.draws import Draw

CONFIGS = Path(__file__).parents[2] / 'configs'
VOC = 'voc/dmt_deeplabv2-r101_1xb8_voc12aug-{}-321x321.py'
HALF = 'cityscapes/dmt_deeplabv2-r101_1xb8_cityscapes-{}-half-512x1024.py'
HALF_ORACLE = 'cityscapes/oracle_deeplabv2-r101_1xb8_cityscapes-all-half-512x1024.py'
FULL = 'dmt_deeplabv3plus-r101_1xb8_cityscapes-unimatch1of8-769x769'
TO_CITY = 'domain_adaptation/dmt_deeplabv3plus-r50_segformer-b0_1xb8_{}2cityscapes-512x512.py'
ADVERSE = 'domain_adaptation/dmt_segformer-b2_upernet-convnext-t_1xb8_cityscapes2{}-512x512.py'
KVASIR = 'polyps/dmt_deeplabv3plus-r50_segformer-b0_1xb8_kvasir-seg-1of8-352x352.py'
CAMVID = 'camvid/dmt_lite0-lite1_1xb8_camvid-30.py'

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class Row(NamedTuple):
    """What a config reads: images, classes, sizes of labeled and validated images; None for sizes of their own."""

    make: Any
    labeled: int
    unlabeled: int
    classes: int
    val: int
    size: tuple[int, int] | None
    at_this_size: bool = False
    """Whether predictions are compared at that size, not at that of the file."""


PAPER = Row(make_voc, 4, 5, 21, 2, None)
PAPER_HALF = Row(make_cityscapes, 4, 5, 19, 2, (512, 1024), at_this_size=True)
ROWS = {
    **{VOC.format(part): PAPER for part in ('1of106', '1of50', '1of20', '1of8', 'sbd')},
    **{HALF.format(part): PAPER_HALF for part in ('1of8', '1of30')},
    FULL: Row(make_cityscapes, 4, 5, 19, 2, CITYSCAPES_SIZE),
    TO_CITY.format('gta'): Row(make_sources, 3, 9, 19, 2, (512, 1024)),
    TO_CITY.format('synthia'): Row(make_sources, 3, 9, 16, 2, (512, 1024)),
    ADVERSE.format('acdc'): Row(make_adverse_conditions, 4, 4, 19, 4, (540, 960)),
    ADVERSE.format('dark-zurich'): Row(make_adverse_conditions, 4, 3, 19, 1, (540, 960)),
    KVASIR: Row(make_kvasir, 2, 14, 2, 2, (352, 352)),
    CAMVID: Row(make_camvid, 30, 66, 11, 2, (HEIGHT, WIDTH)),
}


@pytest.fixture(scope='module')
def folder_of(tmp_path_factory):
    """Where a user runs the scripts, with data/ and splits/: a folder for each function that makes one."""
    made = {}

    def folder(make):
        if make not in made:
            made[make] = make(tmp_path_factory.mktemp('run'))
        return made[make]

    return folder


@pytest.fixture
def load(folder_of, monkeypatch):
    def load(name, make=None):
        monkeypatch.chdir(folder_of(make or ROWS[name].make))
        return Config.fromfile(CONFIGS / name) if name.endswith('.py') else compose(name)

    return load


@pytest.fixture
def read(load):
    """Build the training data of a config."""
    return lambda name: DATASETS.build(load(name).train_dataloader.dataset)


@pytest.mark.parametrize('name', ROWS)
def test_data_load_in_the_sizes_in_which_images_are_labeled_and_compared(load, name):
    row, config = ROWS[name], load(name)
    dataset, val = DATASETS.build(config.train_dataloader.dataset), DATASETS.build(config.val_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled(), len(val)) == (row.labeled, row.unlabeled, row.val)
    assert len(dataset.metainfo['classes']) == len(dataset.metainfo['palette']) == row.classes
    assert len(val.metainfo['classes']) == row.classes
    for path in config.custom_hooks[0].get('warm_up_lists', {}).values():
        assert len(dataset.labeled_indices(path)) == 3
    assert 'gt_sem_seg' not in dataset.labeling_item(0)['data_samples']
    if row.make is not make_voc:
        assert 'seg_map_path' not in dataset.unlabeled.get_data_info(0)
    for number in range(row.unlabeled):
        assert row.size in (None, tuple(dataset.labeling_item(number)['inputs'].shape[1:]))
    trained = {*dataset._paths(dataset.labeled), *dataset._paths(dataset.unlabeled)}
    assert not {val.get_data_info(number)['img_path'] for number in range(row.val)} & trained
    for item in val:
        sample = item['data_samples']
        mask = np.asarray(Image.open(sample.seg_map_path))
        assert row.size in (None, sample.img_shape)
        assert sample.ori_shape == sample.gt_sem_seg.shape == (row.size if row.at_this_size else mask.shape)
        if row.classes > 16:
            # Palette and gray files are class ids, and nearest neighbors hold no class that is not in the file.
            assert set(np.unique(sample.gt_sem_seg.data)) == set(np.unique(mask))
            assert row.at_this_size or np.array_equal(sample.gt_sem_seg.data[0], mask)


def test_voc_training_images_are_scaled_by_one_factor_cropped_and_flipped(load):
    config = load(VOC.format('1of20'))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert next(step for step in config.train_pipeline if step.type == 'RandomCrop').crop_size == (321, 321)
    assert {tuple(peer.data_preprocessor.size) for peer in config.model.peers.values()} == {(321, 321)}
    for image, size in enumerate(VOC_SIZES):
        samples = [dataset[Draw('coco', image, seed, None)]['data_samples'] for seed in range(40)]
        factors = np.array([sample.img_shape for sample in samples]) / size
        assert abs(factors[:, 0] - factors[:, 1]).max() < 0.06  # rounded to whole pixels
        assert 0.45 < factors.min() < 0.65
        assert 1.35 < factors.max() < 1.55
        assert {sample.flip for sample in samples} == {True, False}
        assert all(set(np.unique(sample.gt_sem_seg.data)) <= {*range(21), 255} for sample in samples)


@pytest.mark.parametrize(('name', 'shape'), [(VOC.format('1of20'), None), (HALF.format('1of8'), (256, 512))])
def test_label_and_confidence_go_through_the_same_scaling_crop_and_flip(read, name, shape, tmp_path):
    """Pseudo labels of the labeling size: class 1 left, 2 right, confidence rising from left to right."""
    dataset = read(name)
    sizes = [tuple(dataset.labeling_item(number)['inputs'].shape[1:]) for number in range(5)]
    assert sizes[:4] == (list(VOC_SIZES) if shape is None else [(512, 1024)] * 4)
    with BankWriter(tmp_path / 'bank') as writer:
        for image, (height, width) in enumerate(sizes):
            label = np.ones((height, width), np.uint8)
            label[:, width // 2 :] = 2
            ramp = np.linspace(0.5, 1, width, dtype=np.float32)
            writer.write(image, label, np.broadcast_to(ramp, (height, width)).copy())
    classes = len(dataset.metainfo['classes'])
    ones = (1,) * classes
    manifest = Manifest('run', 1, 'a', '', 5, dataset.names_digest(), 1.0, (0.0,) * classes, ones, ones, 1)
    manifest.write(tmp_path / 'bank')
    for seed in range(20):
        item = dataset[Draw('coco', 2, seed, str(tmp_path / 'bank'))]
        label, confidence = item['data_samples'].gt_sem_seg.data, item['data_samples'].pseudo_confidence.data
        assert label.shape == confidence.shape == (1, *item['inputs'].shape[1:])
        assert (confidence[label == 1] < 0.76).all()
        assert (confidence[label == 2] > 0.74).all()
        assert shape in (None, tuple(item['inputs'].shape[1:]))


def test_oracles_read_all_lists_and_the_toolbox_predicts_at_half_resolution(load):
    config = load('voc/oracle_deeplabv2-r101_1xb8_voc12aug-all-321x321.py', make_voc)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert len(dataset) == 9
    item = dataset[0]
    assert item['data_samples'].gt_sem_seg.shape == tuple(item['inputs'].shape[1:])
    item = DATASETS.build(load(HALF_ORACLE, make_cityscapes).val_dataloader.dataset)[0]
    meta = item['data_samples'].metainfo
    assert meta['ori_shape'] == meta['img_shape'] == item['data_samples'].gt_sem_seg.shape == (512, 1024)
    logits = item['inputs'].float().mean(0).repeat(1, 19, 1, 1)[..., ::8, ::8]
    (result,) = EncoderDecoder.postprocess_result(_Head(), logits, [SegDataSample(metainfo=meta)])
    assert result.pred_sem_seg.shape == (512, 1024)


class _Head:
    """What ``postprocess_result`` asks of a segmentor."""

    align_corners = True
    out_channels = 19


def test_another_place_of_data_and_lists_of_another_split_are_set_by_options(load, folder_of, tmp_path):
    config, folder = load(VOC.format('1of20')), folder_of(make_voc)
    (tmp_path / 'elsewhere').symlink_to(folder / 'data' / 'VOCdevkit' / 'VOC2012')
    data = config.train_dataloader.dataset
    for part in (data.labeled, data.unlabeled):
        part.data_root = str(tmp_path / 'elsewhere')
    dataset = DATASETS.build(data)
    assert dataset.labeled.get_data_info(0)['img_path'].startswith(str(tmp_path / 'elsewhere'))
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (4, 5)
    data.lists = 'splits/voc12aug/split1/{}_1of20.txt'
    assert Path(DATASETS.build(data).labeled.get_data_info(0)['img_path']).stem == '2008_000005'
    for part in ('labeled', 'unlabeled'):
        data[part].ann_file = str(folder / 'splits' / 'voc12aug' / 'split0' / f'{part}_1of20.txt')
    assert Path(DATASETS.build(data).labeled.get_data_info(0)['img_path']).stem != '2008_000005'
    data.lists = 'splits/voc12aug/split1'
    with pytest.raises(ValueError, match=r"lists='splits/voc12aug/split1' .* names no two lists: give a path with {}"):
        DATASETS.build(data)


# Of a folder: what makes it, a config, its image folder, its masks of labeled images, its classes.
WRONG = [
    (make_voc, VOC.format('1of20'), 'VOCdevkit/VOC2012/JPEGImages', 'VOCdevkit/VOC2012/SegmentationClassAug/*.png', 21),
    (make_cityscapes, HALF.format('1of8'), 'cityscapes/leftImg8bit/train', 'cityscapes/gtFine/train/*/*Ids.png', 19),
    (make_sources, TO_CITY.format('synthia'), 'RAND_CITYSCAPES/RGB', 'synthia_masks/*.png', 16),
]


@pytest.mark.parametrize('row', WRONG, ids=['voc', 'cityscapes', 'synthia'])
def test_what_is_wrong_with_data_is_said_with_the_file_and_the_remedy(row, tmp_path, monkeypatch):
    make, name, images, masks, classes = row
    root = make(tmp_path)
    monkeypatch.chdir(root)
    data = Config.fromfile(CONFIGS / name).train_dataloader.dataset
    masks = sorted((root / 'data').glob(masks))
    for mask in masks:
        Image.fromarray(np.full(Image.open(mask).size[::-1], 40, np.uint8)).save(mask)
    with pytest.raises(ValueError, match=rf'\.png .*holds label 40, but the {classes} classes are 0\.\.{classes - 1}'):
        [DATASETS.build(data)[Draw('coco', image, 0, None)] for image in range(3)]
    place = root / 'data' / images
    place.rename(place.with_name('elsewhere'))
    with pytest.raises(FileNotFoundError, match=rf'{place.name}\b.*\(img_path of .*data_root'):
        DATASETS.build(data)
    place.with_name('elsewhere').rename(place)
    elsewhere = {part: {**data[part], 'data_root': 'nowhere'} for part in ('labeled', 'unlabeled')}
    with pytest.raises(FileNotFoundError, match=r'nowhere/.* \(img_path of .*data_root'):
        DATASETS.build({**data, **elsewhere})
    for mask in masks:
        mask.unlink()
    with pytest.raises(FileNotFoundError, match=r'converter.*(labelTrainIds|SegmentationClassAug)'):
        DATASETS.build(data)
    if make is not make_sources:  # which read no list
        shutil.rmtree('splits')
        with pytest.raises(FileNotFoundError, match=r'labeled_1of.*\.txt \(ann_file of .*make_splits'):
            DATASETS.build(data)
