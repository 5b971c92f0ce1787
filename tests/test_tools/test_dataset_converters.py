"""Converters of GTA5, SYNTHIA and Kvasir-SEG, on folders laid out as the official ones."""

import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmseg.datasets import CityscapesDataset
from PIL import Image

from mmdmt.datasets import SYNTHIADataset
from mmdmt.preparation.mask_conversion import check_complete

FOLDER = Path(__file__).parents[2] / 'tools' / 'dataset_converters'
SIZES = ((19, 33), (24, 17), (21, 30))  # height, width
SYNTHIA_CLASSES = {1: 'sky', 2: 'building', 3: 'road', 4: 'sidewalk', 5: 'fence', 6: 'vegetation', 7: 'pole', 8: 'car',
                   9: 'traffic sign', 10: 'person', 11: 'bicycle', 12: 'motorcycle', 15: 'traffic light', 17: 'rider',
                   19: 'bus', 21: 'wall'}  # fmt: skip


@pytest.fixture(scope='module', autouse=True)
def converters():
    """Import the scripts as Python does when it runs one: from their own folder."""
    sys.path.insert(0, str(FOLDER))
    import color_masks
    import conversion_cli
    import gta
    import kvasir_seg
    import synthia

    sys.path.remove(str(FOLDER))
    yield {'color_masks': color_masks, 'gta': gta, 'synthia': synthia, 'kvasir_seg': kvasir_seg}
    for module in (color_masks, conversion_cli, gta, kvasir_seg, synthia):
        del sys.modules[module.__name__]


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
def kvasir(tmp_path):
    root, generator = tmp_path / 'kvasir-seg', np.random.default_rng(2)
    for number in range(3):
        size = (64 + 9 * number, 80)
        mask = np.zeros(size, np.uint8)
        cv2.circle(mask, (40, 30), 17 + number, 255, -1)
        write(root / 'images' / f'cju{number}.jpg', generator.integers(0, 256, (*size, 3)).astype(np.uint8))
        write(root / 'masks' / f'cju{number}.jpg', cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR))
    return root


def run(converters, name, *args):
    converters[name].main([*map(str, args), '--nproc', '1'])


def read(path):
    with Image.open(path) as mask:
        assert mask.mode == 'L'
        return np.asarray(mask)


def everything(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob('*')}


def test_gta_palette_labels_become_train_ids_of_cityscapes(converters, gta, tmp_path):
    before = everything(gta)
    run(converters, 'gta', gta, tmp_path / 'masks', '--allow-partial')
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


def test_gta_color_labels_become_the_same_train_ids(converters, gta, tmp_path):
    palette = np.array([*CityscapesDataset.METAINFO['palette'], [0, 0, 0], [20, 20, 20]], np.uint8)
    index = np.random.default_rng(3).integers(0, 21, SIZES[0])
    write(gta / 'labels' / '00001.png', palette[index][..., ::-1])
    run(converters, 'gta', gta, tmp_path / 'masks', '--allow-partial')
    mask = read(tmp_path / 'masks' / '00001_labelTrainIds.png')
    assert np.array_equal(mask, np.where(index < 19, index, 255))


def test_synthia_labels_become_16_classes_by_name(converters, synthia, tmp_path):
    before = everything(synthia)
    run(converters, 'synthia', synthia, tmp_path / 'masks', '--allow-partial')
    names = SYNTHIADataset.METAINFO['classes']
    assert len(names) == len(SYNTHIA_CLASSES) == 16
    for number, size in enumerate(SIZES):
        classes = synthia_classes(size)
        mask = read(tmp_path / 'masks' / f'{number:07d}_labelTrainIds16.png')
        expected = [[names.index(SYNTHIA_CLASSES[c]) if c in SYNTHIA_CLASSES else 255 for c in row] for row in classes]
        assert np.array_equal(mask, expected)
    assert everything(synthia) == before


def test_kvasir_masks_lose_their_compression_noise(converters, kvasir, tmp_path):
    noisy = np.asarray(Image.open(kvasir / 'masks' / 'cju0.jpg'))
    assert len(np.unique(noisy)) > 2
    run(converters, 'kvasir_seg', kvasir, tmp_path / 'masks', '--allow-partial')
    for number in range(3):
        mask = read(tmp_path / 'masks' / f'cju{number}.png')
        drawn = np.zeros(mask.shape, np.uint8)
        cv2.circle(drawn, (40, 30), 17 + number, 1, -1)
        assert set(np.unique(mask)) == {0, 1}
        assert (mask != drawn).mean() < 0.01


def test_several_processes_write_the_same(converters, gta, tmp_path):
    run(converters, 'gta', gta, tmp_path / 'one', '--allow-partial')
    converters['gta'].main([str(gta), str(tmp_path / 'two'), '--allow-partial', '--nproc', '2'])
    for path in (tmp_path / 'one').iterdir():
        assert path.read_bytes() == (tmp_path / 'two' / path.name).read_bytes()


def test_a_conversion_goes_on_where_it_was(converters, gta, tmp_path, capsys):
    masks = tmp_path / 'masks'
    run(converters, 'gta', gta, masks, '--allow-partial')
    whole = everything(masks)
    lost = masks / '00002_labelTrainIds.png'
    content = lost.read_bytes()
    lost.unlink()
    (masks / f'.{lost.name}.4711').write_bytes(content[:20])  # what a killed process leaves
    capsys.readouterr()
    run(converters, 'gta', gta, masks, '--allow-partial')
    assert '2 of 3 masks are in' in capsys.readouterr().out
    assert lost.read_bytes() == content
    after = everything(masks)
    assert all(after[path] == time for path, time in whole.items() if path not in (lost, masks))


def test_a_mask_that_cannot_be_written_leaves_nothing_behind(converters, gta, tmp_path, monkeypatch):
    def full(self, path, **_):
        Path(path).write_bytes(b'half')
        raise OSError(f'No space left on device: {path}')

    monkeypatch.setattr(Image.Image, 'save', full)
    with pytest.raises(ValueError, match='3 of 3 labels could not be converted, first: .*No space left'):
        run(converters, 'gta', gta, tmp_path / 'masks', *whole_set(converters, monkeypatch, 'gta', gta))
    assert not list((tmp_path / 'masks').iterdir())


def whole_set(converters, monkeypatch, name, root):
    """Make the fixture count as the whole data set."""
    folder = {'gta': 'labels', 'synthia': 'GT/LABELS', 'kvasir_seg': 'masks'}[name]
    stems = [path.stem for path in (root / folder).iterdir()]
    monkeypatch.setattr('conversion_cli.check_complete', lambda found, _, at: check_complete(found, stems, at))
    return ()


@pytest.mark.parametrize(
    ('name', 'counts'),
    [
        ('gta', '3 files, but 24966 are published; 24963 are missing, first 00004'),
        ('synthia', '3 files, but 9400 are published; 9397 are missing, first 0000003'),
        ('kvasir_seg', '3 files, but 1000 are published'),
    ],
)
def test_a_part_of_a_data_set_is_refused_unless_allowed(converters, request, tmp_path, capsys, name, counts):
    root = request.getfixturevalue(name.split('_')[0])
    with pytest.raises(ValueError, match=f'{counts}.*--allow-partial'):
        run(converters, name, root, tmp_path / 'masks')
    assert not (tmp_path / 'masks').exists()
    run(converters, name, root, tmp_path / 'masks', '--allow-partial')
    assert f'Warning: {root}' in capsys.readouterr().out


def test_a_whole_data_set_is_no_cause_of_complaint(converters, gta, tmp_path, monkeypatch, capsys):
    run(converters, 'gta', gta, tmp_path / 'masks', *whole_set(converters, monkeypatch, 'gta', gta))
    assert '3 masks of GTA5 in' in capsys.readouterr().out
    assert check_complete(['a', 'b'], 2, Path('masks')) is None
    assert 'first b' in check_complete(['a', 'c'], ['a', 'b'], Path('masks'))


@pytest.mark.parametrize('name', ['gta', 'synthia', 'kvasir_seg'])
def test_a_wrong_folder_and_masks_in_the_data_set_are_refused(converters, request, tmp_path, name):
    root = request.getfixturevalue(name.split('_')[0])
    before = everything(root)
    with pytest.raises(FileNotFoundError, match='does not exist: give the folder of'):
        run(converters, name, tmp_path / 'nowhere', tmp_path / 'masks')
    for inside in (root, root / 'masks_of_mine', root / 'x' / '..' / 'y'):
        with pytest.raises(ValueError, match='is in the data set .* give another folder'):
            run(converters, name, root, inside, '--allow-partial')
    assert everything(root) == before
    with pytest.raises(ValueError, match='--nproc must be 1 or more, got 0'):
        converters[name].main([str(root), str(tmp_path / 'masks'), '--nproc', '0'])


def write_bad_label(root, problem):
    """Put a bad label file in the place of the first."""
    gta = root.name == 'gta'
    path = root / ('labels/00001.png' if gta else 'GT/LABELS/0000000.png')
    ids = np.zeros((9, 9) if problem == 'size' else SIZES[0], np.uint8)
    if problem == 'beyond':
        ids[3, 4] = 77
    if problem == '16 bits':
        write(path, ids.astype(np.uint16))
    elif problem == '8 bits':
        write(path, np.stack([ids] * 3, axis=-1))
    elif problem == 'color':
        write(path, np.full((*ids.shape, 3), (1, 2, 3), np.uint8))
    elif gta:
        write_palette(path, ids)
    else:
        write_synthia_label(path, ids)


@pytest.mark.parametrize(
    ('name', 'problem', 'sentence'),
    [
        ('gta', 'beyond', r'00001\.png holds label id 77, but ids are 0\.\.34'),
        ('gta', 'color', r'00001\.png holds color \(3, 2, 1\), which no class of Cityscapes has'),
        ('gta', '16 bits', r'00001\.png is an image of mode I;16, but labels of GTA5 have 8 bits'),
        ('gta', 'size', r'00001\.png has 9x9 pixels, but its image 33x19'),
        ('synthia', 'beyond', r'0000000\.png holds class 77, but classes are 0\.\.22'),
        ('synthia', '8 bits', r'0000000\.png has 8 bits and 3 channels, but labels of SYNTHIA have 16 bits and 3'),
        ('synthia', '16 bits', r'0000000\.png has 16 bits and 1 channels'),
        ('synthia', 'size', r'0000000\.png has 9x9 pixels, but its image 33x19'),
    ],
)
def test_a_bad_label_is_named_and_the_others_are_converted(
    converters, request, tmp_path, monkeypatch, name, problem, sentence
):
    root = request.getfixturevalue(name)
    write_bad_label(root, problem)
    whole_set(converters, monkeypatch, name, root)
    with pytest.raises(ValueError, match=f'1 of 3 labels could not be converted, first: .*{sentence}'):
        run(converters, name, root, tmp_path / 'masks')
    assert len(list((tmp_path / 'masks').iterdir())) == 2


def test_files_that_are_no_masks_are_refused_as_kvasir_masks(converters, kvasir, tmp_path, monkeypatch):
    whole_set(converters, monkeypatch, 'kvasir_seg', kvasir)
    (kvasir / 'masks' / 'cju0.jpg').write_bytes((kvasir / 'images' / 'cju0.jpg').read_bytes())
    with pytest.raises(ValueError, match=r'cju0\.jpg has \d+% of its pixels between black and white'):
        run(converters, 'kvasir_seg', kvasir, tmp_path / 'masks')
    (kvasir / 'masks' / 'cju0.jpg').write_bytes(cv2.imencode('.png', np.zeros((64, 80), np.uint16))[1].tobytes())
    with pytest.raises(ValueError, match=r'cju0\.jpg is an image of mode I;16'):
        run(converters, 'kvasir_seg', kvasir, tmp_path / 'masks')


def test_an_image_that_is_missing_and_a_file_that_is_broken_are_named(converters, synthia, tmp_path, monkeypatch):
    whole_set(converters, monkeypatch, 'synthia', synthia)
    (synthia / 'RGB' / '0000001.png').unlink()
    with pytest.raises(ValueError, match=r'RGB/0000001\.png, the image of .* does not exist'):
        run(converters, 'synthia', synthia, tmp_path / 'masks')
    (synthia / 'GT' / 'LABELS' / '0000000.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'0000000\.png cannot be read'):
        run(converters, 'synthia', synthia, tmp_path / 'others')


COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [255, 255, 255]], np.uint8)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
def test_colors_become_class_ids(converters, tmp_path, mode):
    ids = np.random.default_rng(0).integers(0, 4, (19, 33))
    path = tmp_path / 'colored' / 'more' / 'a.png'
    path.parent.mkdir(parents=True)
    Image.fromarray(COLORS[ids]).convert(mode).save(path)
    arguments = ['--colors', '000000', 'ff0000', '#00FF00', '--ignored', 'ffffff', '--nproc', '1']
    converters['color_masks'].main([str(tmp_path / 'colored'), str(tmp_path / 'masks'), *arguments])
    mask = np.asarray(Image.open(tmp_path / 'masks' / 'more' / 'a.png'))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, np.where(ids == 3, 255, ids))


def test_black_and_white_become_class_ids(converters, tmp_path):
    ids = np.random.default_rng(0).integers(0, 2, (19, 33)).astype(np.uint8)
    write(tmp_path / 'colored' / 'a.jpg', ids.repeat(5, 0).repeat(5, 1) * 255)
    arguments = [str(tmp_path / 'colored'), str(tmp_path / 'masks'), '--colors', '000000', 'ffffff', '--nproc', '1']
    with pytest.raises(ValueError, match=r'1 of 1 masks could not be converted, first: .*a\.jpg has \d+ colors that'):
        converters['color_masks'].main(arguments)
    assert not list((tmp_path / 'masks').rglob('*.png'))
    converters['color_masks'].main([*arguments, '--nearest'])
    mask = np.asarray(Image.open(tmp_path / 'masks' / 'a.png'))
    np.testing.assert_array_equal(mask[2::5, 2::5], ids)


def test_a_color_stands_for_one_class_and_is_written_in_hexadecimal(converters, tmp_path, capsys):
    write(tmp_path / 'colored' / 'a.png', np.zeros((4, 4), np.uint8))
    arguments = [str(tmp_path / 'colored'), str(tmp_path / 'masks'), '--colors', '000000']
    with pytest.raises(ValueError, match='A color is named twice'):
        converters['color_masks'].main([*arguments, '000000'])
    with pytest.raises(SystemExit):
        converters['color_masks'].main([*arguments, 'red'])
    assert "a color must be like ff0000, got 'red'" in capsys.readouterr().err


def test_masks_of_8_bits_hold_at_most_255_classes(converters, tmp_path):
    write(tmp_path / 'colored' / 'a.png', np.zeros((4, 4), np.uint8))
    arguments = [str(tmp_path / 'colored'), str(tmp_path / 'masks'), '--nproc', '1', '--colors']
    for count in (256, 300):
        with pytest.raises(ValueError, match=f'--colors names {count} classes, but a mask of 8 bits holds at most 255'):
            converters['color_masks'].main([*arguments, *(f'{number:06x}' for number in range(count))])
    converters['color_masks'].main([*arguments, *(f'{number:06x}' for number in range(255))])
    assert read(tmp_path / 'masks' / 'a.png').max() == 0


@pytest.mark.parametrize('photo', [np.full((4, 4, 3), 77, np.uint8), np.zeros((4, 4), np.uint8)])
def test_photos_of_the_same_names_are_not_taken_for_masks_made_before(converters, tmp_path, photo):
    for name in 'ab':
        write(tmp_path / 'colored' / f'{name}.png', np.zeros((4, 4), np.uint8))
    write(tmp_path / 'images' / 'a.png', photo)
    arguments = [str(tmp_path / 'colored'), str(tmp_path / 'images'), '--colors', '000000', 'ffffff', '--nproc', '1']
    with pytest.raises(ValueError, match=r'images/a\.png exists, and is not one of the masks that this command writes'):
        converters['color_masks'].main(arguments)
    assert [path.name for path in (tmp_path / 'images').iterdir()] == ['a.png']
