"""Lists of labeled and unlabeled images: published ones, those of our tables, and splits of own data."""

import random
from collections import Counter

import numpy as np
import pytest

from mmdmt.preparation.image_lists import find_ids, ids_in_folder, read_list, write_lists
from mmdmt.preparation.known_lists import known_lists
from mmdmt.preparation.published_splits import (
    PUBLISHED_DENOMINATORS,
    camvid_lists,
    difference_maximized,
    published_splits,
    sbd_lists,
)
from mmdmt.preparation.splits import (
    as_files,
    group_of,
    held_out,
    rarest_class,
    sized_split,
    sizes_of,
    split_classes,
)

NUMBERS = {'voc12aug': 10582, 'cityscapes': 2975}
DUSK = [f'0001TP_{number:06d}' for number in range(62)]
DAY = [f'0006R0_f{number:05d}' for number in range(305)]
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 50))


def made_up(count):
    return [f'2007_{number:06d}' for number in range(count)]


def letters(parts):
    return [''.join(part) for part in parts]


def own_split(ids, denominators, **settings):
    return sized_split(ids, sizes_of(len(ids), denominators), **settings)


def known_counts(dataset):
    return {one.file: one.count for one in known_lists().values() if one.dataset == dataset}


def test_the_published_shuffles_are_reproduced():
    splits = published_splits('abcdefghijklmnopqrstuvwx', {'4': 4, '2.6': 2.6})
    assert {key: letters(split) for key, split in splits.items()} == {
        (0, '4'): ['gsfpwj', 'avxdtlhuibrncmokqe'],
        (0, '2.6'): ['gsfpwjavxd', 'tlhuibrncmokqe'],
        (1, '4'): ['ntjkwd', 'fcspimlrebuvqagxoh'],
        (1, '2.6'): ['ntjkwdfcsp', 'imlrebuvqagxoh'],
        (2, '4'): ['smcabp', 'ugdfwoxrljhetqnikv'],
        (2, '2.6'): ['smcabpugdf', 'woxrljhetqnikv'],
    }


@pytest.mark.parametrize('split', [published_splits, own_split])
def test_splits_are_nested_whatever_the_order_and_each_image_is_in_one_part(split):
    ids, state = made_up(500), random.getstate()
    splits = split(random.Random(0).sample(ids, 500), {'2': 2, '10': 10, '30': 29.75})
    assert splits == split(ids, {'2': 2, '10': 10, '30': 29.75})
    assert random.getstate() == state
    assert {split_id for split_id, _ in splits} == {0, 1, 2}
    for split_id in range(3):
        half, tenth, thirtieth = (splits[split_id, name] for name in ('2', '10', '30'))
        assert set(thirtieth.labeled) < set(tenth.labeled) < set(half.labeled)
        for parts in (half, tenth, thirtieth):
            assert sorted(parts.labeled + parts.unlabeled) == ids
    assert splits[0, '10'] != splits[1, '10'] != splits[2, '10']


@pytest.mark.parametrize('dataset', NUMBERS)
def test_the_published_lists_have_the_sizes_of_those_that_are_known(dataset):
    made = as_files(published_splits(made_up(NUMBERS[dataset]), PUBLISHED_DENOMINATORS[dataset]))
    known = {file: count for file, count in known_counts(dataset).items() if file.startswith('split')}
    assert known == {file: len(made[file]) for file in known}
    assert len(known) == (36 if dataset == 'voc12aug' else 18)


def test_seeds_differ_and_more_splits_keep_those_of_fewer():
    assert len(own_split(made_up(18), {'2': 2})[0, '2'].labeled) == 9
    assert len(published_splits(made_up(18), {'2': 2})[0, '2'].labeled) == 10  # no batch of eight with a single image
    few, more, other = (
        sized_split(made_up(100), {'25': 25}, seed, number) for seed, number in ((0, 1), (0, 5), (1, 5))
    )
    assert len(more) == 5
    assert few[0, '25'] == more[0, '25'] != other[0, '25']
    assert set(as_files(few, before='')) == {'split0/labeled_25.txt', 'split0/unlabeled_25.txt'}


def test_strata_are_spread_over_every_fraction():
    ids = made_up(200)
    strata = {image: 'rare' if number < 3 else 'some' if number < 50 else 'many' for number, image in enumerate(ids)}
    splits = own_split(ids, {'2': 2, '10': 10, '60': 60}, strata=strata)
    sizes = Counter(strata.values())
    for (_, name), split in splits.items():
        counts = Counter(strata[image] for image in split.labeled)
        for stratum, size in sizes.items():
            assert counts[stratum] >= 1
            assert abs(counts[stratum] - size / float(name)) <= 2, (name, stratum)
        assert sorted(split.labeled + split.unlabeled) == ids
    assert set(splits[0, '60'].labeled) < set(splits[0, '10'].labeled)
    assert {splits[split_id, '60'].labeled for split_id in range(3)} != {splits[0, '60'].labeled}


def test_an_image_counts_for_its_rarest_class():
    classes = {'street': {0, 1}, 'crossing': {0, 1, 2}, 'field': {0}, 'sky': set(), 'ford': {3, 2, 0}, 'dam': {0, 3}}
    assert rarest_class(classes) == {'street': 1, 'crossing': 1, 'field': 0, 'sky': -1, 'ford': 2, 'dam': 3}


def test_peers_share_three_fifths_of_the_labeled_images_by_one_generator():
    for count, part in ((1322, 1057), (530, 424), (211, 168), (100, 80)):
        ((left, right),) = difference_maximized([made_up(count)])
        assert (len(left), len(right)) == (part, part)
        assert sorted({*left, *right}) == made_up(count)
        assert len({*left} & {*right}) == 2 * part - count
    parts = difference_maximized(['abcdefghij', 'klmnopqr'])
    assert [letters(sides) for sides in parts] == [['jebhagdf', 'bhagdfic'], ['qkomln', 'omlnpr']]
    assert difference_maximized(['klmnopqr']) != parts[1:]


def test_lists_are_not_written_over_nor_into_the_data_set(tmp_path):
    data, out = tmp_path / 'data', tmp_path / 'out'
    write_lists(out, {'a.txt': ['x'], 'b/b.txt': ['y', 'z']}, data)
    assert (out / 'b/b.txt').read_bytes() == b'y\nz\n'
    write_lists(out, {'a.txt': ['x'], 'c.txt': ['z']}, data)
    with pytest.raises(FileExistsError, match=r'b\.txt exists with another content'):
        write_lists(out, {'d.txt': ['x'], 'b/b.txt': ['x']}, data)
    assert sorted(path.name for path in out.iterdir()) == ['a.txt', 'b', 'c.txt']
    assert (out / 'b/b.txt').read_text() == 'y\nz\n'
    data.mkdir()
    (tmp_path / 'link').symlink_to(data)
    for folder in ('data', 'link/splits', 'out/../data/splits'):
        with pytest.raises(ValueError, match='lies in the data set'):
            write_lists(tmp_path / folder, {'a.txt': ['x']}, data)


@pytest.mark.parametrize(
    ('text', 'images'),
    [
        ('2007_000032\n\n2007_000039', ['2007_000032', '2007_000039']),
        ('\ufeff a \r\nb\r\n', ['a', 'b']),
        ('JPEGImages/1.jpg SegmentationClass/1.png\n', ['JPEGImages/1.jpg']),
        ('/images/train/1.png\t/segmentation/train/1_gtFine.png\n', ['/images/train/1.png']),
        ('my image.jpg\tmy mask.png\n', ['my image.jpg']),
        ('my image\nanother image.jpg\n', ['my image', 'another image.jpg']),
    ],
)
def test_lists_of_names_and_of_pairs_are_read(tmp_path, text, images):
    (tmp_path / 'list.txt').write_text(text, newline='')
    assert read_list(tmp_path / 'list.txt') == images


def test_a_list_in_another_encoding_is_named(tmp_path):
    (tmp_path / 'list.txt').write_text('a\n', encoding='utf-16')
    with pytest.raises(ValueError, match=r'list\.txt is not text in UTF-8'):
        read_list(tmp_path / 'list.txt')


def test_images_of_a_folder_are_paths_without_suffix(tmp_path):
    for name in ('b/b_1_img.png', 'a/a_2_img.png', 'a/a_1_img.png', 'a/a_1_mask.png', 'a/._a_1_img.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert ids_in_folder(tmp_path, '_img.png') == ['a/a_1', 'a/a_2', 'b/b_1']
    for folder, suffix in ((tmp_path, '.jpg'), (tmp_path / 'c', '.png')):
        with pytest.raises(FileNotFoundError, match=f"holds no file that ends in '{suffix}'"):
            ids_in_folder(folder, suffix)


@pytest.fixture
def find(tmp_path):
    def find(images, ids, suffix):
        (tmp_path / 'list.txt').write_text('\n'.join(images))
        return find_ids(tmp_path / 'list.txt', ids, suffix)

    return find


@pytest.mark.parametrize(
    'image',
    [
        'jena/jena_000078_000019',
        'jena_000078_000019',
        'jena_000078_000019_leftImg8bit',
        'jena/jena_000078_000019_leftImg8bit.png',
        'leftImg8bit/train/jena/jena_000078_000019_leftImg8bit.png',
        '/images/train/jena_000078_000019.png',
    ],
)
def test_an_image_is_found_in_whatever_way_it_is_written(find, image):
    ids = ['bremen/bremen_000078_000019', 'jena/jena_000078_000019']
    assert find([image], ids, '_leftImg8bit.png') == ['jena/jena_000078_000019']


def test_images_keep_their_order_and_names_that_several_have_name_none(find):
    assert find(['x/b.jpg', 'x/c.jpg', 'x/a.jpg', 'x/c.jpg'], 'abc', '.jpg') == ['b', 'c', 'a', 'c']
    assert find(['1'], ['1', 'site/1'], '.png') == ['1']  # rather than the end of another
    ids = ['walk/0001', 'walk/0002', 'ride/0001']
    assert find(['video/ride/0001.png', '0002'], ids, '.png') == ['ride/0001', 'walk/0002']
    with pytest.raises(ValueError, match=r"'0001\.png', which may be ride/0001 or walk/0001"):
        find(['0001.png'], ids, '.png')
    with pytest.raises(ValueError, match=r"'run/0002\.png' of the list .*list\.txt is missing from the 3 images"):
        find(['run/0002.png'], ids, '.png')


def test_a_group_is_labeled_as_a_whole_or_not_at_all_and_its_strata_are_spread():
    ids = [f'video{number % 12}/{number:03d}' for number in range(60)] + ['long/1', 'long/2', 'long/3', 'long/4']
    groups = group_of(ids, '(.*)/')
    splits = sized_split(ids, {'9': 9, '31': 31}, groups=groups)
    for (split_id, name), split in splits.items():
        assert not {groups[image] for image in split.labeled} & {groups[image] for image in split.unlabeled}
        assert abs(len(split.labeled) - int(name)) <= 2
        assert sorted(split.labeled + split.unlabeled) == sorted(ids)
        assert set(splits[split_id, '9'].labeled) < set(splits[split_id, '31'].labeled)
    ids = [f'{group:02d}_{number}' for group in range(20) for number in range(3)]
    groups = group_of(ids, '^[0-9]+')
    strata = {group: 'rare' if group < '04' else 'many' for group in groups.values()}
    for split in sized_split(ids, {'15': 15}, strata=strata, groups=groups).values():
        assert {strata[groups[image]] for image in split.labeled} == {'rare', 'many'}


PAIR = ['1_a', '1_b']


@pytest.mark.parametrize(
    ('call', 'sentence'),
    [
        (lambda: published_splits('aba', {'2': 2}), "1 images are listed twice, such as 'a'"),
        (lambda: sized_split('aba', {'2': 2}), "1 images are listed twice, such as 'a'"),
        (lambda: published_splits(made_up(7), {'2': 2, '8': 8}), '1/8 of 7 images must be one or more'),
        (lambda: own_split(made_up(7), {'0.5': 0.5}), r'1/0\.5 of 7 images'),
        (lambda: sized_split(made_up(9), {'4': 4}, num_splits=0), 'num_splits=0'),
        (lambda: sized_split('ab', {'1': 1}, strata={'a': 0}), "1 images have no stratum, such as 'b'"),
        (lambda: sized_split(made_up(100), {'n': 0}), '0 of 100 images cannot be labeled: give 1 to 100'),
        (lambda: sized_split(made_up(100), {'n': 101}), '101 of 100 images cannot be labeled'),
        (lambda: held_out(made_up(40), 1), '--val 1 holds 1/1 of 40 images with masks out: give more than 1'),
        (lambda: sbd_lists('ax', 'abc'), "1 images of train are not in trainaug, such as 'x'"),
        (lambda: difference_maximized(['ab', 'a']), r"labeled list \['a'\] cannot be shared"),
        (lambda: group_of(PAIR, '('), r"--group must be a regular expression, got '\('"),
        (lambda: group_of(PAIR, '_a$'), r"'_a\$' matches 1 of 2 images, and not '1_b': give an expression"),
        (
            lambda: sized_split(PAIR, {'1': 1}, groups=group_of(PAIR, '^[0-9]+')),
            r"All 2 images are of the group '1': give a finer --group",
        ),
        (lambda: split_classes(LABELS, 0, 5, 1), 'make no split'),
        (lambda: split_classes(LABELS, 10, -1, 1), 'make no split'),
        (lambda: split_classes(LABELS, 46, 5, 1), 'ask for 51 images of every class, but one has only 50'),
        (lambda: camvid_lists(DAY), '305 images by day and 0 at dusk'),
        (lambda: camvid_lists(DUSK[:20]), '30 of 20'),
    ],
)
def test_what_makes_no_list_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_classes_are_split_alike_and_more_labels_keep_those_of_fewer():
    parts = split_classes(LABELS, 10, 5, 1)
    for part, count in {'labeled': 10, 'unlabeled': 35, 'val': 5, 'train': 45}.items():
        assert np.bincount(LABELS[parts[part]]).tolist() == [count] * 10
    together = np.concatenate([parts[part] for part in ('labeled', 'unlabeled', 'val')])
    assert sorted(together) == list(range(500))
    assert sorted([*parts['labeled'], *parts['unlabeled']]) == parts['train'].tolist()
    few, many = split_classes(LABELS, 4, 5, 1), split_classes(LABELS, 20, 5, 1)
    assert set(few['labeled']) < set(many['labeled'])
    assert np.array_equal(few['val'], many['val'])
    assert not np.array_equal(split_classes(LABELS, 4, 5, 2)['labeled'], few['labeled'])
    assert len(split_classes(LABELS, 10, 0, 1)['unlabeled']) == 400
    parts = split_classes([0, 1] * 6, labels_per_class=2, val_per_class=1, seed=1)  # the same under every NumPy
    assert [parts[part].tolist() for part in ('labeled', 'unlabeled', 'val')] == [
        [2, 4, 5, 9],
        [0, 1, 6, 7, 8, 11],
        [3, 10],
    ]


def test_the_lists_of_camvid_are_drawn_with_the_split_id_as_seed_and_dusk_is_halved_in_time():
    made = camvid_lists(reversed([*DAY, *DUSK]))
    assert {file: len(images) for file, images in made.items()} == known_counts('camvid')
    for split_id in range(3):
        order = sorted([*DAY, *DUSK])
        random.Random(split_id).shuffle(order)
        for count in (10, 30, 92):
            assert made[f'split{split_id}/labeled_{count}.txt'] == tuple(sorted(order[:count]))
            assert made[f'split{split_id}/unlabeled_{count}.txt'] == tuple(sorted(order[count:]))
    assert (made['day2dusk/dusk.txt'], made['day2dusk/dusk_val.txt']) == (tuple(DUSK[:31]), tuple(DUSK[31:]))
    assert made['day2dusk/day.txt'] == tuple(DAY)
    assert set(made['day2dusk/day_and_dusk.txt']) == {*DAY, *DUSK[:31]}
