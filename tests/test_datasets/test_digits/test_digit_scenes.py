from dataclasses import replace

import numpy as np
import pytest
import torch
from mmseg.datasets.transforms import LoadAnnotations
from torch.utils.data import DataLoader

from mmdmt.datasets.digits.digit_rendering import DOMAINS, SPLITS, SceneKey, glyphs, handwriting_samples, render_scene
from mmdmt.datasets.digits.digit_scenes import DigitScenes
from mmdmt.datasets.transforms.digit_scene import LoadSceneAnnotations, LoadSceneImage
from mmdmt.registry import DATASETS

IMAGE = dict(type='mmdmt.LoadSceneImage')
MASK = dict(type='mmdmt.LoadSceneAnnotations')
PACK = dict(type='PackSegInputs')

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def scenes(domain, split, number):
    return [render_scene(SceneKey(0, domain, split, index)) for index in range(number)]


@pytest.mark.parametrize('domain', DOMAINS)
def test_a_scene_rendered_again_is_the_same_whatever_global_randomness(domain):
    np.random.seed(0)
    first = render_scene(SceneKey(3, domain, 'val', 5))
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    np.random.seed(99)
    render_scene.cache_clear()
    again = render_scene(SceneKey(3, domain, 'val', 5))
    assert again.image is not first.image
    np.testing.assert_array_equal(again.image, first.image)
    np.testing.assert_array_equal(again.mask, first.mask)
    np.random.seed(0)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize('change', [dict(seed=1), dict(domain='handwriting'), dict(split='labeled'), dict(index=3)])
def test_seed_domain_split_and_number_each_change_the_scene_and_its_name(change):
    key = SceneKey(0, 'fonts', 'val', 2)
    other = replace(key, **change)
    assert other.name != key.name
    assert (render_scene(other).image != render_scene(key).image).mean() > 0.5


def test_a_larger_set_begins_with_the_scenes_of_a_smaller_one():
    small, large = (DigitScenes('labeled', num_scenes=n, seed=7, pipeline=[IMAGE, MASK]) for n in (4, 8))
    assert (len(small), len(large)) == (4, 8)
    for one, other in zip(small, large, strict=False):
        assert one['img_path'] == other['img_path']
        np.testing.assert_array_equal(one['img'], other['img'])
        np.testing.assert_array_equal(one['gt_seg_map'], other['gt_seg_map'])


def test_splits_are_made_from_different_handwriting_and_typefaces():
    from sklearn.datasets import load_digits

    digits = load_digits()
    numbers = [i for split in SPLITS for of_digit in handwriting_samples(split).values() for i in of_digit]
    assert len(numbers) == len(set(numbers)) == 901  # all samples of the digits 0 to 4
    assert [len(handwriting_samples(split)['2']) for split in SPLITS] == [20, 98, 59]
    for split in SPLITS:
        for digit, of_digit in handwriting_samples(split).items():
            assert set(digits.target[of_digit]) == {int(digit)}
            np.testing.assert_allclose(glyphs('handwriting', split)[digit], digits.images[of_digit] / 16)
    for domain in DOMAINS:
        shapes = [{g.tobytes() for of_digit in glyphs(domain, split).values() for g in of_digit} for split in SPLITS]
        assert all(shapes)
        assert not shapes[0] & shapes[1] | shapes[0] & shapes[2] | shapes[1] & shapes[2]


@pytest.mark.parametrize('domain', DOMAINS)
@pytest.mark.parametrize('split', SPLITS)
def test_every_class_occurs_and_every_scene_has_a_digit_or_several(domain, split):
    labels = np.stack([scene.mask for scene in scenes(domain, split, 40)])
    assert set(np.unique(labels)) == set(range(6))
    assert 0.7 < (labels == 0).mean() < 0.95
    digits_per_scene = [len(np.unique(mask)) - 1 for mask in labels]
    assert min(digits_per_scene) == 1
    assert max(digits_per_scene) >= 3


def test_a_dataset_gives_what_those_of_mmsegmentation_give():
    dataset = DATASETS.build(dict(type='mmdmt.DigitScenes', split='val', domain='fonts', seed=2))
    assert dataset.metainfo['classes'] == ('background', '0', '1', '2', '3', '4')
    assert len({tuple(color) for color in dataset.metainfo['palette']}) == 6
    info = dataset.get_data_info(12)
    assert info['img_path'] == 'digit_scenes/fonts/val/seed2/000012'
    assert info['seg_map_path'] == 'digit_scenes/fonts/val/seed2/000012/mask'
    assert (info['label_map'], info['reduce_zero_label'], info['seg_fields']) == (None, False, [])
    sets = [DigitScenes(split, domain) for split in SPLITS for domain in DOMAINS]
    assert [len(one) for one in sets[::2]] == [40, 600, 200]
    names = [one.get_data_info(i)['img_path'] for one in sets for i in range(len(one))]
    assert len(set(names)) == 2 * 840


def test_changing_a_loaded_sample_leaves_the_scene_as_it_was():
    dataset = DigitScenes(pipeline=[IMAGE, MASK])
    sample = dataset[0]
    image, mask = sample['img'].copy(), sample['gt_seg_map'].copy()
    sample['img'][:], sample['gt_seg_map'][:] = 0, 9
    np.testing.assert_array_equal(dataset[0]['img'], image)
    np.testing.assert_array_equal(dataset[0]['gt_seg_map'], mask)


def test_unlabeled_scenes_load_without_masks_and_a_set_without_masks_says_so():
    assert 'gt_sem_seg' not in DigitScenes('unlabeled', pipeline=[IMAGE, PACK])[0]['data_samples']
    dataset = DigitScenes('unlabeled', data_prefix=dict(seg_map_path=None), pipeline=[IMAGE, MASK])
    assert 'seg_map_path' not in dataset.get_data_info(0)
    with pytest.raises(ValueError, match=r"'digit_scenes/handwriting/unlabeled/seed0/000000' is of a dataset without"):
        dataset[0]


@pytest.mark.parametrize(
    ('settings', 'becomes'),
    [
        (dict(metainfo=dict(classes=('background', '3', '0'))), [0, 2, 255, 255, 1, 255]),
        (dict(reduce_zero_label=True), [255, 0, 1, 2, 3, 4]),
    ],
)
def test_labels_are_renumbered_as_mmsegmentation_does(settings, becomes):
    for sample, scene in zip(
        DigitScenes(pipeline=[MASK], **settings), scenes('handwriting', 'labeled', 20), strict=False
    ):
        np.testing.assert_array_equal(sample['gt_seg_map'], np.array(becomes)[scene.mask])


@pytest.mark.parametrize('transform', [LoadSceneImage(), LoadSceneAnnotations()])
def test_a_sample_of_another_dataset_is_refused_by_name(transform):
    assert isinstance(transform, LoadAnnotations) is isinstance(transform, LoadSceneAnnotations)
    with pytest.raises(ValueError, match=r"'cat\.jpg' is none: use Load(ImageFromFile|Annotations) for a dataset"):
        transform(dict(img_path='cat.jpg', seg_map_path='cat.png', reduce_zero_label=False, seg_fields=[]))


def test_a_worker_process_renders_what_the_main_process_renders():
    dataset = DigitScenes(num_scenes=4, seed=11, pipeline=[IMAGE, MASK, PACK])
    loader = DataLoader(dataset, batch_size=None, num_workers=1, collate_fn=lambda sample: sample['inputs'].clone())
    for index, inputs in enumerate(loader):
        assert torch.equal(inputs, dataset[index]['inputs'])


@pytest.mark.parametrize(
    ('wrong', 'sentence'),
    [
        (dict(split='train'), r"split='train' of SceneKey: give one of 'labeled'"),
        (dict(domain='mnist'), r"domain='mnist' of SceneKey: give one of 'handwriting', 'fonts'"),
        (dict(size=31), r'size=31 of SceneKey: give a whole number >= 32'),
        (dict(seed=-1), r'seed=-1 of SceneKey: give a whole number >= 0'),
        (dict(split='val', num_scenes=0), r'num_scenes=0 of DigitScenes: give a whole number >= 1 or None'),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        DigitScenes(**wrong)
