import hashlib
import json
from pathlib import Path

import pytest

from mmdmt.preparation import known_lists
from mmdmt.preparation.known_lists import KnownList, digest, image_id, recognize

TABLE = json.loads(Path(known_lists.__file__).with_suffix('.json').read_text())


@pytest.mark.parametrize(
    'image',
    [
        'leftImg8bit/train/jena/jena_000078_000019_leftImg8bit.png',
        'jena/jena_000078_000019',
        'jena_000078_000019',
        'train\\jena\\jena_000078_000019_leftImg8bit.png',
    ],
)
def test_an_image_has_one_id_however_it_is_written(image):
    assert image_id(image) == 'jena_000078_000019'


def test_a_known_list_is_recognized_by_its_sorted_ids_and_one_image_less_is_not(monkeypatch):
    for images in (['2007_000032', '2007_000039'], ['JPEGImages/2007_000039.jpg', 'a/2007_000032.jpg', '2007_000032']):
        assert digest(images) == hashlib.sha256(b'2007_000032\n2007_000039\n').hexdigest()
    images = [f'2007_{number:06d}' for number in range(9)]
    known = KnownList('voc12aug', 'classic/labeled_9.txt', 'VOC classic 9', 9)
    monkeypatch.setattr(known_lists, 'known_lists', lambda: {digest(images): known})
    assert recognize(f'JPEGImages/{image}.jpg' for image in reversed(images)) is known
    assert recognize(images[1:]) is None


def test_the_table_has_every_list_of_the_field_once():
    sums = [known['sha256'] for lists in TABLE.values() for known in lists.values()]
    names = [known['name'] for lists in TABLE.values() for known in lists.values()]
    assert len(set(sums)) == len(sums) == len(set(names)) == 122
    assert all(len(one) == 64 for one in sums)
    sizes = {
        (dataset, group): sorted(known['count'] for file, known in lists.items() if file.startswith(f'{group}/labeled'))
        for dataset, lists in TABLE.items()
        for group in ('classic', 'unimatch', 'u2pl')
    }
    assert {key: counts for key, counts in sizes.items() if counts} == {
        ('voc12aug', 'classic'): [92, 183, 366, 732, 1464],
        ('voc12aug', 'unimatch'): [662, 1323, 2646],
        ('voc12aug', 'u2pl'): [662, 1323, 2646, 5291],
        ('cityscapes', 'unimatch'): [100, 186, 372, 744, 1488],
        ('cityscapes', 'u2pl'): [186, 372, 744, 1488],
    }


@pytest.mark.parametrize(('dataset', 'whole'), [('voc12aug', 10582), ('cityscapes', 2975), ('camvid', 367)])
def test_a_list_and_its_rest_are_whole(dataset, whole):
    lists = TABLE[dataset]
    for file, known in lists.items():
        if '/labeled' in file:
            rest = lists[file.replace('/labeled', '/unlabeled')]
            assert (known['count'] + rest['count'], rest['name']) == (whole, f'the rest of {known["name"]}'), file
