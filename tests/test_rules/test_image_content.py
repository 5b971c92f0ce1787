import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from PIL import Image

from mmdmt.rules.file_rules import image_depth
from mmdmt.rules.image_content import ImageContent, read_content


def encoded(suffix, dtype, channels):
    shape = (6, 8) if channels == 1 else (6, 8, channels)
    return cv2.imencode(suffix, np.arange(np.prod(shape)).reshape(shape).astype(dtype))[1].tobytes()


KINDS = [
    (suffix, dtype, channels)
    for suffix in ('.png', '.tif')
    for dtype in (np.uint8, np.uint16)
    for channels in (1, 3, 4)
]
KINDS += [('.pgm', np.uint8, 1), ('.pgm', np.uint16, 1), ('.ppm', np.uint8, 3), ('.ppm', np.uint16, 3)]
KINDS += [('.tif', np.float32, 1), ('.tif', np.float32, 3)]


@pytest.mark.parametrize(('suffix', 'dtype', 'channels'), KINDS)
def test_bits_and_channels_are_those_of_the_file(suffix, dtype, channels):
    content = read_content(encoded(suffix, dtype, channels))
    assert (content.bits, content.channels) == (8 * np.dtype(dtype).itemsize, channels)


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'TIFF', 'WEBP'])
def test_the_orientation_is_that_by_which_opencv_turns(kind):
    exif, file = Image.Exif(), io.BytesIO()
    exif[274] = 6
    Image.new('RGB', (8, 6)).save(file, kind, exif=exif)
    assert read_content(file.getvalue()).orientation == 6
    assert cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR).shape == (8, 6, 3)


def test_pages_of_a_tiff_are_counted():
    file = io.BytesIO()
    Image.new('L', (8, 6)).save(file, 'TIFF', save_all=True, append_images=[Image.new('L', (8, 6))])
    assert read_content(file.getvalue()) == ImageContent('L', 8, 1, 1, pages=2, size=(6, 8))


@pytest.mark.parametrize('data', [b'', b'no image', b'\x89PNG\r\n\x1a\n'])
def test_what_is_no_image_has_no_content(data):
    assert read_content(data) is None


@pytest.mark.parametrize(('backend', 'value', 'says'), [('pillow', 4000, 'white'), ('cv2', 200, 'highest value is 0')])
def test_16_bits_that_a_back_end_turns_white_or_black_are_told(tmp_path, backend, value, says):
    path = str(tmp_path / 'image.png')
    cv2.imwrite(path, np.full((6, 8), value, np.uint16))
    loader = LoadImageFromFile(imdecode_backend=backend)
    loaded = loader({'img_path': path})['img']
    assert (loaded == (255 if says == 'white' else 0)).all()
    finding = image_depth(path, read_content(Path(path)), loader, loaded)
    assert says in finding.says
    assert finding.stops == (says == 'white')
