from pathlib import Path

import pytest

from mmdmt.preparation import known_lists
from mmdmt.preparation.known_lists import KnownList, digest
from mmdmt.preparation.list_import import Stock, import_lists, read_stock

VOC = ['2007_000032', '2008_000008', '2009_000001']
CITIES = ['jena/jena_000078_000019', 'ulm/ulm_000001_000019']
CITY_PATHS = [f'leftImg8bit/train/{image}_leftImg8bit.png' for image in CITIES]


@pytest.fixture
def write(tmp_path):
    def write(name, lines):
        path = tmp_path / name
        path.write_bytes('\n'.join(lines).encode() if isinstance(lines, list) else lines)
        return path

    return write


MASKS = [f'gtFine/train/{image}_gtFine_labelTrainIds.png' for image in CITIES]


@pytest.mark.parametrize(
    ('dataset', 'images', 'lines'),
    [
        ('voc', VOC, VOC),
        ('voc', VOC, [f'JPEGImages/{image}.jpg SegmentationClass/{image}.png' for image in VOC]),
        ('voc', VOC, [f'JPEGImages/{image}.jpg' for image in [*VOC, VOC[0]]]),
        ('voc', VOC, b'\xef\xbb\xbf2007_000032 \r\n2008_000008\t\r\n\r\n2009_000001\r\n  \n'),
        ('cityscapes', CITIES, CITY_PATHS),
        ('cityscapes', CITIES, [f'{path} {mask}' for path, mask in zip(CITY_PATHS, MASKS, strict=True)]),
        ('cityscapes', CITIES, [image.split('/')[1] for image in CITIES]),
        ('cityscapes', CITIES, CITIES),
    ],
)
def test_every_form_of_a_list_is_read_and_an_image_named_twice_counts_once(write, dataset, images, lines):
    (one,) = import_lists([write('labeled.txt', lines)], dataset, None, 'mine')
    assert (one.part, list(one.images), one.known, one.file) == ('labeled', images, None, 'mine/labeled.txt')


def test_a_known_list_and_its_rest_go_where_they_belong(write, monkeypatch):
    known = {
        digest(VOC[:1]): KnownList('voc12aug', 'classic/labeled_1.txt', 'VOC classic 1', 1),
        digest(VOC[1:]): KnownList('voc12aug', 'classic/unlabeled_1.txt', 'the rest of VOC classic 1', 2),
    }
    monkeypatch.setattr(known_lists, 'known_lists', lambda: known)
    labeled, rest = import_lists([write('any.txt', VOC[:1])], 'voc', Stock((*VOC,), ('2007_000033',)), 'mine')
    assert (labeled.file, rest.file) == ('classic/labeled_1.txt', 'classic/unlabeled_1.txt')
    assert (rest.part, list(rest.images), rest.source) == ('unlabeled', VOC[1:], None)
    assert rest.known.name == 'the rest of VOC classic 1'


def test_of_a_list_that_is_not_known_the_rest_has_a_name_of_its_own(write):
    stock = Stock((*VOC,), ())
    for name, rest in (('labeled_1.txt', 'unlabeled_1.txt'), ('mine.txt', 'unlabeled_mine.txt')):
        assert import_lists([write(name, VOC[:1])], 'voc', stock, 'own')[1].file == f'own/{rest}'
    both = import_lists([write('labeled.txt', VOC[:1]), write('unlabeled.txt', VOC[1:2])], 'voc', stock, 'own')
    assert [one.part for one in both] == ['labeled', 'unlabeled']


@pytest.mark.parametrize(
    ('dataset', 'lines', 'sentence'),
    [
        ('voc', [CITIES[0]], r"'jena/.* names no image of VOC 2012, .*: give --dataset cityscapes"),
        ('cityscapes', VOC, r"'2007_000032' names no image of Cityscapes.*: give --dataset voc\."),
        ('voc', ['ADE_train_00000001'], r'ids look like 2007_000032: give a list of this data set'),
        ('voc', ['2007_000033', '2007_000032'], r'overlaps with the validation set of VOC 2012: 1 of its 2 images'),
        ('voc', ['2007_999999'], r'names 1 images that do not exist, such as .2007_999999.: check --data-root'),
        (
            'cityscapes',
            ['munster/munster_000000_000019'],
            r'1 of its 1 images are validation images, such as .munster/',
        ),
        ('voc', ['', ' '], r'names no image: give a text file'),
    ],
)
def test_what_is_no_list_of_the_data_set_is_refused(write, dataset, lines, sentence):
    stock = Stock((*VOC,), ('2007_000033',)) if dataset == 'voc' else None
    with pytest.raises(ValueError, match=sentence):
        import_lists([write('labeled.txt', lines)], dataset, stock, 'mine')


def test_lists_that_are_no_parts_of_one_split_are_refused(write):
    for paths, sentence in (
        ([write('labeled.txt', VOC[:2]), write('unlabeled.txt', VOC[1:])], r'1 images are both in .*labeled'),
        ([write('labeled.txt', VOC[:2])] * 2, r'both become mine/labeled\.txt: import them one by one'),
        ([Path('absent.txt')], r'absent\.txt does not exist'),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=sentence):
            import_lists(paths, 'voc', None, 'mine')


def test_the_images_of_voc_and_cityscapes_are_looked_up(tmp_path):
    lists = tmp_path / 'ImageSets/Segmentation'
    lists.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r'trainaug\.txt does not exist: .*voc_aug\.py'):
        read_stock('voc', tmp_path)
    (lists / 'trainaug.txt').write_text('\n'.join(VOC))
    (lists / 'val.txt').write_text('2007_000033\n')
    (tmp_path / 'JPEGImages').mkdir()
    for image in VOC[:2]:
        (tmp_path / 'JPEGImages' / f'{image}.jpg').touch()
    assert read_stock('voc', tmp_path) == Stock((*VOC[:2],), ('2007_000033',))
    for image in ('train/ulm/ulm_000001_000019', 'val/munster/munster_000000_000019'):
        file = tmp_path / 'leftImg8bit' / f'{image}_leftImg8bit.png'
        file.parent.mkdir(parents=True)
        file.touch()
    assert read_stock('cityscapes', tmp_path) == Stock(('ulm/ulm_000001_000019',), ('munster/munster_000000_000019',))
