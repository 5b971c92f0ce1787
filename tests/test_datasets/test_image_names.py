from types import SimpleNamespace

import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmseg.datasets import BaseSegDataset

from mmdmt.datasets.image_names import find_images_of_list, image_names, list_name
from mmdmt.preparation import known_lists
from mmdmt.preparation.known_lists import KnownList, digest


def dataset_of(folder, suffix):
    return SimpleNamespace(data_prefix={'img_path': folder}, img_suffix=suffix)


def listed(tmp_path, *names):
    (tmp_path / 'list.txt').write_text('\n'.join(names) + '\n')
    return str(tmp_path / 'list.txt')


CITY = dataset_of('data/leftImg8bit/train', '_leftImg8bit.png')
PATHS = [f'data/leftImg8bit/train/{name}_leftImg8bit.png' for name in ('a/a_1', 'a/a_2', 'b/a_1')]


def test_names_are_those_of_the_list_whatever_the_suffix():
    assert image_names(PATHS, CITY) == ['a/a_1', 'a/a_2', 'b/a_1']


def test_each_dataset_of_several_names_its_own():
    joined = SimpleNamespace(datasets=[CITY, dataset_of('other', '.jpg')])
    assert image_names([PATHS[0], 'other/x.y.jpg', 'elsewhere/z.png'], joined) == ['a/a_1', 'x.y', 'elsewhere/z']


def test_an_image_is_found_by_its_name_or_the_end_of_it(tmp_path):
    assert find_images_of_list(listed(tmp_path, 'a_2_leftImg8bit', 'b/a_1'), PATHS, CITY) == [1, 2]
    with pytest.raises(ValueError, match=r"list.txt names 'a_1', which may be a/a_1 or b/a_1: add the folder"):
        find_images_of_list(listed(tmp_path, 'a_1'), PATHS, CITY)


def test_of_joined_datasets_a_name_that_two_images_have_is_refused_and_a_repeated_image_is_not(tmp_path):
    joined = SimpleNamespace(datasets=[dataset_of('one', '.png'), dataset_of('other', '.png')])
    with pytest.raises(ValueError, match=r"names 'a', which may be one/a.png or other/a.png"):
        find_images_of_list(listed(tmp_path, 'a'), ['one/a.png', 'other/a.png'], joined)
    assert find_images_of_list(listed(tmp_path, 'a'), ['one/a.png'] * 2, joined) == [0, 1]


IMAGES = [f'2007_{number:06d}' for number in range(9)]


@pytest.fixture
def segmentation(tmp_path, monkeypatch):
    """Make a dataset of some images, of which nothing but the list exists; nine are a published list."""
    known = KnownList('voc12aug', 'classic/labeled_9.txt', 'VOC classic 9', 9)
    monkeypatch.setattr(known_lists, 'known_lists', lambda: {digest(IMAGES): known})

    def build(images):
        file = tmp_path / f'{len(images)}.txt'
        file.write_text('\n'.join(images))
        prefix = {'img_path': 'JPEGImages', 'seg_map_path': 'SegmentationClass'}
        return BaseSegDataset(
            ann_file=str(file), data_root=str(tmp_path), data_prefix=prefix, metainfo={'classes': 'a'}
        )

    return build


def test_a_published_list_is_named_with_its_count_and_another_by_its_sum(segmentation):
    unknown = f'no published list (SHA-256 {digest(IMAGES[:2])[:12]})'
    assert list_name(segmentation(IMAGES)) == '9, VOC classic 9'
    assert list_name(segmentation(IMAGES[:2])) == f'2, {unknown}'
    assert list_name(segmentation(['roof_1'])) == f'1, SHA-256 {digest(["roof_1"])[:12]}'
    assert list_name(RepeatDataset(segmentation(IMAGES), 3)) == '9, VOC classic 9'
    assert (
        list_name(ConcatDataset([segmentation(IMAGES[:2]), segmentation(IMAGES)])) == f'2, {unknown} + 9, VOC classic 9'
    )
