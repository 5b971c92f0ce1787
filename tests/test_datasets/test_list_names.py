import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmseg.datasets import BaseSegDataset

from mmdmt.datasets.list_names import list_name
from mmdmt.preparation import known_lists
from mmdmt.preparation.known_lists import KnownList, digest

IMAGES = [f'2007_{number:06d}' for number in range(9)]


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Make a dataset of some images, of which nothing but the list exists; nine are a published list."""
    known = KnownList('voc12aug', 'classic/labeled_9.txt', 'VOC classic 9', 9)
    monkeypatch.setattr(known_lists, '_known', lambda: {digest(IMAGES): known})

    def listed(images):
        file = tmp_path / f'{len(images)}.txt'
        file.write_text('\n'.join(images))
        prefix = {'img_path': 'JPEGImages', 'seg_map_path': 'SegmentationClass'}
        return BaseSegDataset(
            ann_file=str(file), data_root=str(tmp_path), data_prefix=prefix, metainfo={'classes': 'a'}
        )

    return listed


def test_a_published_list_is_named_with_its_count(listed):
    assert list_name(listed(IMAGES)) == '9, VOC classic 9'


def test_another_list_is_known_by_its_sum(listed):
    assert list_name(listed(IMAGES[:2])) == f'2, no published list (SHA-256 {digest(IMAGES[:2])[:12]})'


def test_repeated_images_count_once_and_joined_lists_are_named_each(listed):
    assert list_name(RepeatDataset(listed(IMAGES), 3)) == '9, VOC classic 9'
    joined = ConcatDataset([listed(IMAGES[:1]), listed(IMAGES)])
    assert list_name(joined) == f'1, no published list (SHA-256 {digest(IMAGES[:1])[:12]}) + 9, VOC classic 9'


def test_a_list_of_own_data_is_not_compared_with_published_ones(listed):
    assert list_name(listed(['roof_1', 'roof_2'])) == f'2, SHA-256 {digest(["roof_1", "roof_2"])[:12]}'
