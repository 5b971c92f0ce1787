import numpy as np
import pytest
import tifffile
from PIL import Image

from mmdmt.preparation.near_duplicates import near_duplicates


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
    assert found.looked_at == 3  # a1 a2, a2 b1, b1 b2


def test_images_of_one_fixed_camera_are_not_all_alike(tmp_path, save):
    generator = np.random.default_rng(1)
    scene = generator.integers(50, 200, (50, 60, 3)).astype(np.int64)
    for number in range(10):
        save(
            f'{number}',
            np.clip(scene + np.kron(generator.integers(-20, 20, (5, 6, 1)), np.ones((10, 10, 1))), 0, 255).astype(
                np.uint8
            ),
        )
    lists = {'val': [f'{number}' for number in range(0, 10, 2)], 'labeled': [f'{number}' for number in range(1, 10, 2)]}
    assert near_duplicates(lists, lambda image: tmp_path / f'{image}.png').pairs == ()


def test_what_is_no_image_is_passed_over(tmp_path, save):
    for name in ('a', 'b'):
        (tmp_path / f'{name}.png').touch()
    assert near_duplicates({'val': ['a'], 'labeled': ['b', 'c']}, lambda image: tmp_path / f'{image}.png') == ((), 0)


def test_of_many_pairs_two_hundred_are_looked_at(tmp_path, save):
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
    assert found == ((('1a', '1b'),), 7)
