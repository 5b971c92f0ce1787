"""The converter that writes a small copy of a list of images."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parents[2] / 'tools' / 'dataset_converters'


@pytest.fixture(scope='module')
def converter():
    sys.path.insert(0, str(FOLDER))
    import conversion_cli
    import reduced

    sys.path.remove(str(FOLDER))
    yield reduced
    for module in (reduced, conversion_cli):
        del sys.modules[module.__name__]


@pytest.fixture
def voc(tmp_path):
    for name in ('2007_000001', '2007_000002'):
        for folder, pixels, suffix in (
            ('JPEGImages', np.full((20, 40, 3), 90, np.uint8), 'jpg'),
            ('SegmentationClassAug', np.repeat(np.repeat([[0, 8], [15, 3]], 10, 0), 20, 1).astype(np.uint8), 'png'),
        ):
            path = tmp_path / 'VOC2012' / folder / f'{name}.{suffix}'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (tmp_path / 'names.txt').write_text('2007_000001\n2007_000002\n')
    return tmp_path


def reduce(converter, voc, *options):
    line = [voc / 'VOC2012', voc / 'out', '--names', voc / 'names.txt', '--nproc', 1, *options]
    line += ['--images', 'JPEGImages/{}.*', '--masks', 'SegmentationClassAug/{}.png']
    converter.main([str(one) for one in line])


def test_images_and_masks_are_scaled_and_classes_renumbered(converter, voc):
    reduce(converter, voc, '--shorter', 4, '--classes', '0,8,15')
    with Image.open(voc / 'out/masks/2007_000002.png') as mask:
        assert np.array_equal(np.array(mask), np.repeat(np.repeat([[0, 1], [2, 255]], 2, 0), 4, 1))
    with Image.open(voc / 'out/images/2007_000001.png') as image:
        assert image.size == (8, 4)
        assert np.all(abs(np.array(image).astype(int) - 90) <= 2)


def test_squeezed_into_a_square(converter, voc):
    reduce(converter, voc, '--square', 6)
    with Image.open(voc / 'out/masks/2007_000001.png') as mask:
        assert mask.size == (6, 6)
        assert set(np.unique(np.array(mask))) == {0, 3, 8, 15}


def test_a_name_without_a_file_is_refused(converter, voc):
    (voc / 'names.txt').write_text('2007_000009\n')
    with pytest.raises(FileNotFoundError, match='2007_000009.*is 0 files'):
        reduce(converter, voc, '--shorter', 4)
