import numpy as np
import pytest
import tifffile
from PIL import Image

from mmdmt.preparation.near_duplicates import near_duplicates, propose_group, share_pixels


@pytest.fixture
def save(tmp_path):
    generator = np.random.default_rng(0)

    def save(name, picture=None, kind='png'):
        picture = generator.integers(0, 255, (50, 60, 3)).astype(np.uint8) if picture is None else picture
        Image.fromarray(picture).save(tmp_path / f'{name}.{kind}')
        return picture

    return save


def test_only_neighbors_of_different_lists_that_look_alike_are_found(save, tmp_path):
    first = save('a1')
    save('a2', first + (first < 250))  # its copy but for one level
    save('b1')
    save('b2')
    third = save('c1')
    save('c2', third)
    lists = {'val': ['a1', 'b1'], 'labeled': ['a2', 'b2', 'c1', 'c2']}
    found = near_duplicates(lists, lambda image: tmp_path / f'{image}.png')
    assert found.pairs == (('a1', 'a2'),)
    assert found.looked_at == 3  # a1 a2, a2 b1, b1 b2; those of c are in one list


def test_images_of_one_fixed_camera_are_not_all_alike(tmp_path, save):
    generator = np.random.default_rng(1)
    scene = generator.integers(50, 200, (50, 60, 3)).astype(np.int64)
    for number in range(10):
        light = np.kron(generator.integers(-20, 20, (5, 6, 1)), np.ones((10, 10, 1)))
        save(f'{number}', np.clip(scene + light, 0, 255).astype(np.uint8))
    lists = {'val': [f'{number}' for number in range(0, 10, 2)], 'labeled': [f'{number}' for number in range(1, 10, 2)]}
    assert near_duplicates(lists, lambda image: tmp_path / f'{image}.png').pairs == ()


def test_what_is_no_image_is_passed_over_and_of_many_pairs_two_hundred_are_looked_at(tmp_path, save):
    for name in ('a', 'b'):
        (tmp_path / f'{name}.png').touch()
    found = near_duplicates({'val': ['a'], 'labeled': ['b', 'c']}, lambda image: tmp_path / f'{image}.png')
    assert found == ((), 0, ())
    save('0')
    names = [f'{number:04d}' for number in range(1000)]
    found = near_duplicates({'val': names[::2], 'labeled': names[1::2]}, lambda _: tmp_path / '0.png')
    assert found.looked_at == 200
    assert len(found.pairs) == 200


@pytest.mark.parametrize('kind', ['npy', 'tif', '16-bit png'])
def test_slices_and_bands_that_pillow_does_not_read_are_compared_too(tmp_path, kind):
    generator = np.random.default_rng(0)
    files = {}

    def save(name, picture):
        files[name] = tmp_path / f'{name}.{kind[-3:]}'
        if kind == 'npy':
            np.save(files[name], picture.astype(np.float32) / 7 - 1000)
        elif kind == 'tif':
            tifffile.imwrite(files[name], picture.astype(np.uint16), planarconfig='contig', photometric='minisblack')
        else:
            Image.fromarray(picture[..., 0].astype(np.uint16)).save(files[name])

    pictures = [generator.integers(0, 4000, (150, 160, 5)) for _ in range(4)]
    for number, picture in enumerate(pictures):
        save(f'{number}a', picture)
        save(f'{number}b', picture + 3 if number == 1 else generator.integers(0, 4000, (150, 160, 5)))
    lists = {'val': [name for name in files if name[1] == 'a'], 'labeled': [name for name in files if name[1] == 'b']}
    found = near_duplicates(lists, files.__getitem__)
    assert found == ((('1a', '1b'),), 7, ())


@pytest.mark.parametrize(('down', 'right'), [(16, 0), (7, 21)])
def test_tiles_that_overlap_share_pixels_wherever_they_do_but_not_one_shade(tmp_path, save, down, right):
    scene = np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    save('one', scene[:64, :64])
    save('other', scene[down : down + 64, right : right + 64])
    save('third', scene[64:, 64:])
    assert share_pixels(tmp_path / 'one.png', tmp_path / 'other.png')
    assert not share_pixels(tmp_path / 'one.png', tmp_path / 'third.png')
    for name in ('one', 'other'):
        save(name, np.full((64, 64, 3), 200, np.uint8))
    assert not share_pixels(tmp_path / 'one.png', tmp_path / 'other.png')


@pytest.mark.parametrize(
    ('names', 'pattern'),
    [
        (['P1_0_64_0_64', 'P1_0_64_32_96', 'P2_0_64_0_64', 'P2_0_64_32_96'], '^(.*?)(?:_[0-9]+){4}$'),
        (['a_r01_c02', 'a_r01_c03', 'b_r00_c00', 'b_r00_c01'], '^(.*?)[_-][ry](?:ow)?[0-9]+[_-][cx](?:ol)?[0-9]+$'),
        (['cat', 'dog', 'bird'], ''),
    ],
)
def test_a_group_is_proposed_where_names_are_those_of_tiles(names, pattern):
    assert propose_group(names) == pattern
