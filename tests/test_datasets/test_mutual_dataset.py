import copy
import random
import shutil

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS
from mmseg.datasets import BaseSegDataset
from toys.segmentation import TRAIN_PIPELINE, mutual_dataset, shapes

from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter, open_bank
from mmdmt.method.draws import Draw

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def dataset(shapes_folder):
    return DATASETS.build(mutual_dataset(shapes_folder))


@pytest.fixture
def bank(dataset, tmp_path):
    """A bank that calls the left half of every image a square, in ramps of confidence from 0.5 down to 0.5 up to 1."""
    folder = tmp_path / 'bank'
    with BankWriter(folder) as writer:
        for image in range(10):
            height, width = dataset.labeling_item(image)['inputs'].shape[1:]
            label = np.zeros((height, width), np.uint8)
            label[:, : width // 2] = 1
            ramp = np.linspace(0.5, 1, width, dtype=np.float32)
            writer.write(image, label, np.broadcast_to(ramp, (height, width)).copy())
    names = dataset.names_digest()
    Manifest('run', 1, 'left', '', 10, names, 0.5, (0.9, 0.6, np.inf), (1, 1, 1), (1, 1, 1), 1).write(folder)
    return str(folder)


def same(item, other):
    a, b = item['data_samples'], other['data_samples']
    fields = ('gt_sem_seg', 'pseudo_confidence') if 'pseudo_confidence' in a else ('gt_sem_seg',)
    return item['inputs'].equal(other['inputs']) and all(a.get(f).data.equal(b.get(f).data) for f in fields)


def test_a_labeled_draw_is_an_ordinary_sample_that_knows_its_peer(dataset):
    item = dataset[Draw('left', 3, 7, None)]
    assert item['inputs'].dtype == torch.uint8
    assert item['data_samples'].peer == 'left'
    assert item['data_samples'].gt_sem_seg.data.unique().tolist() == [0, 1, 2]
    assert 'pseudo_confidence' not in item['data_samples']


def test_label_and_confidence_of_a_draw_go_through_the_same_transforms(dataset, bank):
    for seed in range(20):
        sample = dataset[Draw('right', 4, seed, bank)]['data_samples']
        label, confidence = sample.gt_sem_seg.data, sample.pseudo_confidence.data
        assert label.shape == confidence.shape
        kept = label != 255
        # Where the ramp says 0.5 to 0.75 is the left half, a square; pixels below the class's threshold are dropped.
        assert ((label == 1) == (kept & (confidence < 0.75))).all()
        assert (confidence[label == 1] >= 0.6).all()
        assert (confidence[label == 0] >= 0.9).all()
        assert (kept == ((confidence >= 0.9) | ((confidence >= 0.6) & (confidence < 0.75)))).all()


def test_flips_move_the_confidence_with_the_label(shapes_folder, bank):
    pipeline = [
        {'type': 'LoadImageFromFile'},
        {'type': 'mmdmt.LoadPseudoLabel'},
        {'type': 'RandomFlip', 'prob': 1.0},
        {'type': 'Pad', 'size': (64, 64)},
        {'type': 'mmdmt.PackPseudoLabel'},
    ]
    config = mutual_dataset(shapes_folder)
    config['unlabeled']['pipeline'] = pipeline
    sample = DATASETS.build(config)[Draw('a', 0, 0, bank)]['data_samples']
    label, confidence = open_bank(bank).read(0)
    height, width = label.shape
    assert np.array_equal(sample.gt_sem_seg.data[0, :height, :width], label[:, ::-1])
    assert np.array_equal(sample.pseudo_confidence.data[0, :height, :width], confidence[:, ::-1])
    assert (sample.gt_sem_seg.data[0, height:] == 255).all()
    assert (sample.gt_sem_seg.data[0, :, width:] == 255).all()


def test_a_draw_gives_the_same_sample_whatever_came_before(dataset, bank):
    draws = [Draw('a', 2, 11, None), Draw('a', 2, 11, bank)]
    for draw in draws:
        first = dataset[draw]
        random.seed(5), np.random.seed(5), torch.manual_seed(5)
        dataset[Draw('a', 1, 3, None)]
        assert same(dataset[draw], first)
        assert not same(dataset[draw._replace(seed=12)], first)


def test_loading_leaves_the_global_random_state_alone(dataset):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    dataset[Draw('a', 0, 0, None)]
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected


def test_the_unlabeled_pipeline_follows_the_labeled_one(dataset):
    names = [type(transform).__name__ for transform in dataset.unlabeled.pipeline.transforms]
    expected = {'LoadAnnotations': 'LoadPseudoLabel', 'PackSegInputs': 'PackPseudoLabel'}
    assert names == [expected.get(transform['type'], transform['type']) for transform in TRAIN_PIPELINE]


def test_masks_of_unlabeled_images_are_never_read(shapes_folder, dataset, bank, tmp_path):
    config = mutual_dataset(shapes_folder)
    config['unlabeled']['data_prefix'] = {'img_path': 'images', 'seg_map_path': 'no_such_folder'}
    with_masks = DATASETS.build(config)
    draw = Draw('a', 5, 0, bank)
    assert same(with_masks[draw], dataset[draw])


def test_a_list_names_a_part_of_the_labeled_set(dataset, tmp_path):
    (tmp_path / 'left.txt').write_text('004\n001\n\n')
    assert dataset.labeled_indices(str(tmp_path / 'left.txt')) == [4, 1]


@pytest.fixture
def own_folder(tmp_path, shapes_folder):
    """A copy of the data set that a test may spoil."""
    return shutil.copytree(shapes_folder, tmp_path / 'own')


def test_an_image_that_has_changed_its_size_is_refused(own_folder, bank):
    dataset = DATASETS.build(mutual_dataset(own_folder))
    cv2.imwrite(str(own_folder / 'images' / '006.png'), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=r'006.png is \(9, 9\) .*labeled at \(40, 44\)'):
        dataset[Draw('a', 0, 0, bank)]


LOAD, PSEUDO, PACK = TRAIN_PIPELINE[0], {'type': 'mmdmt.LoadPseudoLabel'}, {'type': 'mmdmt.PackPseudoLabel'}


def test_an_unlabeled_pipeline_that_drops_the_confidence_is_refused(shapes_folder):
    config = mutual_dataset(shapes_folder)
    config['unlabeled']['pipeline'] = [LOAD, PSEUDO, {'type': 'PackSegInputs'}]
    with pytest.raises(ValueError, match='drops the confidence'):
        DATASETS.build(config)


def test_folders_need_no_lists(own_folder):
    for part in ('labeled', 'unlabeled'):
        for name in (own_folder / f'{part}.txt').read_text().split():
            for folder in ('images', 'masks'):
                if (source := own_folder / folder / f'{name}.png').exists():
                    (own_folder / part / folder).mkdir(parents=True, exist_ok=True)
                    source.rename(own_folder / part / folder / source.name)
    config = mutual_dataset(own_folder)
    for part in ('labeled', 'unlabeled'):
        del config[part]['ann_file']
    config['labeled']['data_prefix'] = {'img_path': 'labeled/images', 'seg_map_path': 'labeled/masks'}
    config['unlabeled']['data_prefix'] = {'img_path': 'unlabeled/images'}
    dataset = DATASETS.build(config)
    assert (len(dataset.labeled), len(dataset.unlabeled)) == (6, 10)
    assert dataset[Draw('a', 0, 0, None)]['data_samples'].gt_sem_seg.data.max() == 2


def test_several_labeled_datasets_can_be_joined(shapes_folder, bank):
    config = mutual_dataset(shapes_folder)
    part = copy.deepcopy(config['labeled'])
    (shapes_folder / 'more.txt').write_text('016\n017\n')
    more = shapes(shapes_folder, 'more.txt', pipeline=TRAIN_PIPELINE)
    config['labeled'] = {'type': 'ConcatDataset', 'datasets': [part, more]}
    with pytest.raises(ValueError, match='ConcatDataset, which has no pipeline of its own'):
        DATASETS.build(config)
    config['unlabeled']['pipeline'] = [LOAD, PSEUDO, PACK]
    dataset = DATASETS.build(config)
    assert len(dataset.labeled) == 8
    assert dataset[Draw('a', 7, 0, None)]['data_samples'].img_path.endswith('017.png')
    lost = {**more, 'data_prefix': {'img_path': 'images', 'seg_map_path': 'no_such_folder'}}
    config['labeled']['datasets'] = [part, {'type': 'RepeatDataset', 'times': 2, 'dataset': lost}]
    with pytest.raises(FileNotFoundError, match=r'no_such_folder \(seg_map_path of the labeled dataset, .*data_root'):
        DATASETS.build(config)


@DATASETS.register_module()
class ShapesWithClasses(BaseSegDataset):
    """A data set that knows which classes its images show, as ClassBalancedDataset asks it: 1 is in the first alone."""

    def get_cat_ids(self, idx):
        return [0] if idx else [0, 1]


@pytest.fixture
def balanced(shapes_folder):
    config = mutual_dataset(shapes_folder)
    config['unlabeled']['pipeline'] = [LOAD, PSEUDO, PACK]
    part = {**config['labeled'], 'type': 'ShapesWithClasses'}
    # Class 1 is in one of 6 images: that one is repeated ceil(sqrt(0.9 / (1 / 6))) = 3 times.
    config['labeled'] = {'type': 'ClassBalancedDataset', 'dataset': part, 'oversample_thr': 0.9}
    return config


def test_images_that_a_wrapper_repeats_count_as_often(balanced, shapes_folder, tmp_path):
    dataset = DATASETS.build(balanced)
    order = [0, 0, 0, 1, 2, 3, 4, 5]
    assert len(dataset.labeled) == len(order)
    drawn = [dataset[Draw('a', number, 0, None)]['data_samples'].img_path for number in range(len(order))]
    assert [int(path[-7:-4]) for path in drawn] == order
    masks = [cv2.imread(str(shapes_folder / 'masks' / f'{number:03d}.png'), cv2.IMREAD_UNCHANGED) for number in order]
    assert dataset.class_counts().tolist() == [np.bincount(mask.ravel(), minlength=3).tolist() for mask in masks]
    (tmp_path / 'part.txt').write_text('004\n000\n')
    assert dataset.labeled_indices(str(tmp_path / 'part.txt')) == [6, 0, 1, 2]


def test_a_class_balanced_dataset_without_classes_is_refused(balanced):
    balanced['labeled']['dataset']['type'] = 'BaseSegDataset'
    with pytest.raises(ValueError, match='labeled dataset .* cannot be built .* must implement `get_cat_ids` method'):
        DATASETS.build(balanced)


def test_black_and_white_masks_are_warned_of(own_folder, monkeypatch):
    for path in (own_folder / 'masks').iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.where(mask > 0, 255, 0).astype(np.uint8))
    said = []
    monkeypatch.setattr('mmdmt.labels.pixels.masks.print_log', lambda text, **_: said.append(text))
    DATASETS.build(mutual_dataset(own_folder))
    (text,) = said
    assert 'no class but the first: if they are black and white, convert them to class ids.' in text


def test_lines_may_have_spaces_and_lead_through_folders_of_the_data(own_folder):
    for folder in ('images', 'masks'):
        (own_folder / folder / 'part').mkdir()
    (own_folder / 'labeled.txt').write_text('000\n001 \r\npart/../002\n')
    assert len(DATASETS.build(mutual_dataset(own_folder)).labeled) == 3
