import hashlib
import random
from collections import Counter

import pytest

from mmdmt.preparation.image_lists import find_ids, ids_in_folder, read_list, write_lists
from mmdmt.preparation.published_splits import (
    PUBLISHED_DENOMINATORS,
    PublishedList,
    difference_maximized,
    differences,
    published_lists,
    published_splits,
    sbd_lists,
)
from mmdmt.preparation.splits import as_files, generic_split, group_of, rarest_class, sized_split

NUMBERS = {'voc12aug': 10582, 'cityscapes': 2975}


def made_up(count):
    return [f'2007_{number:06d}' for number in range(count)]


def letters(parts):
    return [''.join(part) for part in parts]


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


def test_the_order_of_the_list_does_not_matter():
    ids = made_up(100)
    shuffled = random.Random(0).sample(ids, 100)
    assert published_splits(shuffled, {'8': 8}) == published_splits(ids, {'8': 8})
    assert generic_split(shuffled, {'8': 8}) == generic_split(ids, {'8': 8})


@pytest.mark.parametrize('split', [published_splits, generic_split])
def test_splits_are_nested_and_each_image_is_in_one_part(split):
    ids = made_up(500)
    splits = split(ids, {'2': 2, '10': 10, '30': 29.75})
    assert {split_id for split_id, _ in splits} == {0, 1, 2}
    for split_id in range(3):
        half, tenth, thirtieth = (splits[split_id, name] for name in ('2', '10', '30'))
        assert set(thirtieth.labeled) < set(tenth.labeled) < set(half.labeled)
        for parts in (half, tenth, thirtieth):
            assert sorted(parts.labeled + parts.unlabeled) == ids
    assert splits[0, '10'] != splits[1, '10'] != splits[2, '10']


@pytest.mark.parametrize(
    ('count', 'denominator', 'labeled'),
    [(10582, 105.82, 100), (10582, 20, 530), (10582, 8, 1322), (2975, 29.75, 100), (2975, 20, 148), (9, 1, 9)],
)
def test_published_sizes_leave_no_single_image_in_a_batch_of_eight(count, denominator, labeled):
    split = published_splits(made_up(count), {'s': denominator})[0, 's']
    assert (len(split.labeled), len(split.unlabeled)) == (labeled, count - labeled)


@pytest.mark.parametrize('dataset', NUMBERS)
def test_the_table_holds_the_sizes_of_all_published_lists(dataset):
    made = as_files(published_splits(made_up(NUMBERS[dataset]), PUBLISHED_DENOMINATORS[dataset]))
    table = published_lists(dataset)
    assert {file: known.count for file, known in table.items()} == {file: len(made[file]) for file in table}
    assert len({known.sha256 for known in table.values()}) == len(table)
    assert all(len(known.sha256) == 64 for known in table.values())


def test_the_table_holds_sixty_lists():
    # Cityscapes 1/2 and 1/20 were never published.
    assert [len(published_lists(dataset)) for dataset in NUMBERS] == [39, 21]
    assert not [file for file in published_lists('cityscapes') if '1of2.' in file or '1of20.' in file]


def test_the_random_state_of_the_process_is_left_alone():
    state = random.getstate()
    published_splits(made_up(20), {'2': 2})
    generic_split(made_up(20), {'2': 2}, strata=dict.fromkeys(made_up(20), 0))
    difference_maximized([made_up(20)])
    assert random.getstate() == state


@pytest.mark.parametrize('split', [published_splits, generic_split])
def test_what_cannot_be_split_is_refused(split):
    with pytest.raises(ValueError, match="1 images are listed twice, such as 'a'"):
        split(['a', 'b', 'a'], {'2': 2})
    with pytest.raises(ValueError, match='1/8 of 7 images must be one or more'):
        split(made_up(7), {'2': 2, '8': 8})
    with pytest.raises(ValueError, match=r'1/0\.5 of 7 images'):
        split(made_up(7), {'0.5': 0.5})


def test_generic_sizes_are_the_plain_quotient():
    assert len(generic_split(made_up(18), {'2': 2})[0, '2'].labeled) == 9
    assert len(published_splits(made_up(18), {'2': 2})[0, '2'].labeled) == 10


def test_seeds_differ_and_more_split_ids_keep_the_first():
    few, more, other = (
        generic_split(made_up(100), {'4': 4}, seed, number) for seed, number in ((0, 1), (0, 5), (1, 5))
    )
    assert len(more) == 5
    assert few[0, '4'] == more[0, '4'] != other[0, '4']
    with pytest.raises(ValueError, match='num_splits=0'):
        generic_split(made_up(100), {'4': 4}, num_splits=0)


def test_strata_are_spread_over_every_fraction():
    ids = made_up(200)
    strata = {image: 'rare' if number < 3 else 'some' if number < 50 else 'many' for number, image in enumerate(ids)}
    splits = generic_split(ids, {'2': 2, '10': 10, '60': 60}, strata=strata)
    sizes = Counter(strata.values())
    for (_, name), split in splits.items():
        counts = Counter(strata[image] for image in split.labeled)
        for stratum, size in sizes.items():
            assert counts[stratum] >= 1
            assert abs(counts[stratum] - size / float(name)) <= 2, (name, stratum)
        assert sorted(split.labeled + split.unlabeled) == ids
    assert set(splits[0, '60'].labeled) < set(splits[0, '10'].labeled)
    assert {splits[split_id, '60'].labeled for split_id in range(3)} != {splits[0, '60'].labeled}


def test_an_image_without_stratum_is_named():
    with pytest.raises(ValueError, match="1 images have no stratum, such as 'b'"):
        generic_split('ab', {'2': 2}, strata={'a': 0})


def test_an_image_counts_for_its_rarest_class():
    classes = {'street': {0, 1}, 'crossing': {0, 1, 2}, 'field': {0}, 'sky': set(), 'ford': {3, 2, 0}, 'dam': {0, 3}}
    assert rarest_class(classes) == {'street': 1, 'crossing': 1, 'field': 0, 'sky': -1, 'ford': 2, 'dam': 3}


def test_peers_share_three_fifths_of_the_labeled_images():
    for count, part in ((1322, 1057), (530, 424), (211, 168), (100, 80)):
        ((left, right),) = difference_maximized([made_up(count)])
        assert (len(left), len(right)) == (part, part)
        assert sorted({*left, *right}) == made_up(count)
        assert len({*left} & {*right}) == 2 * part - count


def test_the_published_parts_come_from_one_generator():
    parts = difference_maximized(['abcdefghij', 'klmnopqr'])
    assert [letters(sides) for sides in parts] == [['jebhagdf', 'bhagdfic'], ['qkomln', 'omlnpr']]
    assert difference_maximized(['klmnopqr']) != parts[1:]


def test_one_image_is_not_shared_between_peers():
    with pytest.raises(ValueError, match=r"labeled list \['a'\] cannot be shared"):
        difference_maximized(['ab', 'a'])


def test_sbd_images_are_those_that_train_lacks():
    assert letters(sbd_lists('ca', 'dbac')) == ['ac', 'bd']
    with pytest.raises(ValueError, match="1 images of train are not in trainaug, such as 'x'"):
        sbd_lists('ax', 'abc')


def test_files_are_named_by_split_part_and_fraction():
    files = as_files(generic_split('abcd', {'1': 1, '2': 2}, num_splits=2))
    assert set(files) == {
        f'split{split_id}/{part}.txt'
        for split_id in (0, 1)
        for part in ('labeled_1of1', 'labeled_1of2', 'unlabeled_1of2')
    }


def test_differences_are_told_apart():
    def known(text):
        return PublishedList(text.count('\n'), hashlib.sha256(text.encode()).hexdigest())

    published = {'same': known('a\nb\n'), 'order': known('a\nb\n'), 'number': known('a\nb\n'), 'absent': known('a\n')}
    found = differences({'same': 'ab', 'order': 'ba', 'number': 'abc', 'unpublished': 'a'}, published)
    assert found == {
        'order': '2 images, as many as the published list, but others, or by other names',
        'number': '3 images, the published list 2',
        'absent': 'no counterpart',
    }


def test_files_have_the_sum_that_they_are_compared_by(tmp_path):
    write_lists(tmp_path / 'out', {'a/b.txt': ['x', 'y']}, tmp_path / 'data')
    content = (tmp_path / 'out/a/b.txt').read_bytes()
    assert content == b'x\ny\n'
    assert not differences({'b': 'xy'}, {'b': PublishedList(2, hashlib.sha256(content).hexdigest())})


def test_lists_are_not_written_over(tmp_path):
    data, out = tmp_path / 'data', tmp_path / 'out'
    write_lists(out, {'a.txt': ['x'], 'b.txt': ['y']}, data)
    write_lists(out, {'a.txt': ['x'], 'c.txt': ['z']}, data)
    with pytest.raises(FileExistsError, match=r'b\.txt exists with another content'):
        write_lists(out, {'d.txt': ['x'], 'b.txt': ['x']}, data)
    assert sorted(path.name for path in out.iterdir()) == ['a.txt', 'b.txt', 'c.txt']
    assert (out / 'b.txt').read_text() == 'y\n'


@pytest.mark.parametrize('folder', ['data', 'data/splits', 'link/splits', 'out/../data/splits'])
def test_nothing_is_written_into_the_data_set(tmp_path, folder):
    (tmp_path / 'data').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'data')
    with pytest.raises(ValueError, match='lies in the data set'):
        write_lists(tmp_path / folder, {'a.txt': ['x']}, tmp_path / 'data')
    assert not list((tmp_path / 'data').iterdir())


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


def test_a_list_without_images_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'list\.txt does not exist'):
        read_list(tmp_path / 'list.txt')
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'list\.txt names no image'):
        read_list(tmp_path / 'list.txt')


def test_images_of_a_folder_are_paths_without_suffix(tmp_path):
    for name in ('b/b_1_img.png', 'a/a_2_img.png', 'a/a_1_img.png', 'a/a_1_mask.png', 'a/._a_1_img.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert ids_in_folder(tmp_path, '_img.png') == ['a/a_1', 'a/a_2', 'b/b_1']
    for folder, suffix in ((tmp_path, '.jpg'), (tmp_path / 'c', '.png')):
        with pytest.raises(FileNotFoundError, match=f"holds no file that ends in '{suffix}'"):
            ids_in_folder(folder, suffix)


@pytest.mark.parametrize(
    'image',
    [
        'jena/jena_000078_000019',
        'jena_000078_000019',
        'jena/jena_000078_000019_leftImg8bit.png',
        'leftImg8bit/train/jena/jena_000078_000019_leftImg8bit.png',
        '/images/train/jena_000078_000019.png',
    ],
)
def test_an_image_is_found_in_whatever_way_it_is_written(image):
    ids = ['bremen/bremen_000078_000019', 'jena/jena_000078_000019']
    assert find_ids([image], ids, '_leftImg8bit.png') == ['jena/jena_000078_000019']


def test_images_keep_the_order_of_their_list():
    assert find_ids(['x/b.jpg', 'x/c.jpg', 'x/a.jpg', 'x/c.jpg'], 'abc', '.jpg') == ['b', 'c', 'a', 'c']


def test_file_names_that_several_images_have_name_none():
    ids = ['walk/0001', 'walk/0002', 'ride/0001']
    assert find_ids(['video/ride/0001.png'], ids, '.png') == ['ride/0001']
    for image in ('0001.png', 'run/0002.png'):
        with pytest.raises(ValueError, match=f'{image}.* is none of the 3 images'):
            find_ids([image], ids, '.png')


def test_numbers_of_images_are_split_as_fractions_are():
    ids = made_up(100)
    sized = sized_split(ids, {'25': 25, '7': 7})
    assert {name: len(split.labeled) for (_, name), split in sized.items()} == {'25': 25, '7': 7}
    assert sized[1, '25'] == generic_split(ids, {'4': 4})[1, '4']
    assert set(as_files(sized, before='')) >= {'split0/labeled_25.txt', 'split2/unlabeled_7.txt'}
    for size in (0, 101):
        with pytest.raises(ValueError, match=f'{size} of 100 images cannot be labeled: give 1 to 100'):
            sized_split(ids, {'n': size})


def test_a_group_is_labeled_as_a_whole_or_not_at_all():
    ids = [f'video{number % 12}/{number:03d}' for number in range(60)] + ['long/1', 'long/2', 'long/3', 'long/4']
    groups = group_of(ids, '(.*)/')
    splits = sized_split(ids, {'9': 9, '31': 31}, groups=groups)
    for (split_id, name), split in splits.items():
        assert not {groups[image] for image in split.labeled} & {groups[image] for image in split.unlabeled}
        assert abs(len(split.labeled) - int(name)) <= 2
        assert sorted(split.labeled + split.unlabeled) == sorted(ids)
        assert set(splits[split_id, '9'].labeled) < set(splits[split_id, '31'].labeled)


def test_strata_of_groups_are_spread():
    ids = [f'{group:02d}_{number}' for group in range(20) for number in range(3)]
    groups = group_of(ids, '^[0-9]+')
    strata = {group: 'rare' if group < '04' else 'many' for group in groups.values()}
    for split in sized_split(ids, {'15': 15}, strata=strata, groups=groups).values():
        assert {strata[groups[image]] for image in split.labeled} == {'rare', 'many'}


@pytest.mark.parametrize(
    ('pattern', 'sentence'),
    [
        ('(', r"--group must be a regular expression, got '\('"),
        ('_a$', r"'_a\$' matches 1 of 2 images, and not '1_b': give an expression that every name has"),
    ],
)
def test_a_group_that_does_not_fit_is_refused(pattern, sentence):
    with pytest.raises(ValueError, match=sentence):
        group_of(['1_a', '1_b'], pattern)


def test_one_group_of_all_is_refused():
    with pytest.raises(ValueError, match=r"All 2 images are of the group '1': give a finer --group"):
        sized_split(['1_a', '1_b'], {'1': 1}, groups=group_of(['1_a', '1_b'], '^[0-9]+'))
