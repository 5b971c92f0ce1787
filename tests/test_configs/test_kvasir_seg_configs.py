"""Kvasir-SEG: what the configs read, from the data set as it is published to what peers are trained on."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from PIL import Image
from toys.tools import run_tool
from toys.voc_and_cityscapes import picture, write_list

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'configs' / 'polyps'
NAME = 'dmt_deeplabv3plus-r50_segformer-b0_1xb8_kvasir-seg-1of8-352x352.py'
SIZES = ((53, 62), (62, 53), (48, 70))

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def run(folder, script, *args):
    code, _ = run_tool(script, *args, cwd=folder)
    assert code == 0


def make_kvasir(root):
    """The data set with its official lists, then what the README says is to be run."""
    generator, data = np.random.default_rng(0), root / 'data' / 'kvasir-seg'
    names = [f'cju{number:02d}qkwl35piu0993l0dewei' for number in range(18)]
    for part in ('images', 'masks'):
        (data / part).mkdir(parents=True)
    for number, name in enumerate(names):
        size = SIZES[number % 3]
        mask = np.zeros((*size, 3), np.uint8)
        mask[16:32, 16:40] = 255
        picture(generator, size).save(data / 'images' / f'{name}.jpg')
        Image.fromarray(mask).save(data / 'masks' / f'{name}.jpg')
    write_list(data / 'train.txt', names[:16])
    write_list(data / 'val.txt', names[16:])
    run(root, 'dataset_converters/kvasir_seg.py', 'data/kvasir-seg', 'data/kvasir-seg_masks', '--allow-partial')
    lists = ('--list', 'data/kvasir-seg/train.txt')
    run(root, 'make_splits.py', 'generic', 'kvasir-seg', 'data/kvasir-seg/images', 'splits', *lists)
    return root


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return make_kvasir(tmp_path_factory.mktemp('run'))


@pytest.fixture
def load(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda: Config.fromfile(FOLDER / NAME)


def test_lists_and_masks_are_those_that_the_tools_write(load):
    config = load()
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset.labeled), dataset.num_unlabeled()) == (2, 14)
    assert dataset.metainfo['classes'] == ('background', 'polyp')
    assert 'seg_map_path' not in dataset.unlabeled.get_data_info(0)
    val = DATASETS.build(config.val_dataloader.dataset)
    assert len(val) == 2
    trained = {*dataset._paths(dataset.labeled), *dataset._paths(dataset.unlabeled)}
    assert len(trained) == 16
    assert not {val.get_data_info(number)['img_path'] for number in range(2)} & trained


def test_images_are_predicted_at_352_and_compared_at_their_own_size(load):
    config = load()
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert {tuple(dataset.labeling_item(number)['inputs'].shape) for number in range(14)} == {(3, 352, 352)}
    sample = DATASETS.build(config.val_dataloader.dataset)[0]['data_samples']
    assert sample.img_shape == (352, 352)
    assert sample.ori_shape == sample.gt_sem_seg.shape == SIZES[16 % 3]
    assert set(np.unique(sample.gt_sem_seg.data)) == {0, 1}
    assert {tuple(peer.data_preprocessor.size) for peer in config.model.peers.values()} == {(352, 352)}


def test_iou_and_dice_are_reported(load):
    assert load().val_evaluator.metric == {'type': 'IoUMetric', 'iou_metrics': ['mIoU', 'mDice']}
