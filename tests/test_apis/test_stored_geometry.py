import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image, ImageOps

from mmdmt.apis.stored_geometry import applied_orientation, run_test_pipeline, turned, turned_back

pytestmark = pytest.mark.usefixtures('mmseg_scope')
LOAD, PACK = {'type': 'LoadImageFromFile'}, {'type': 'PackSegInputs'}
PAD = {'type': 'Pad', 'size': (64, 64)}


def photo(path, orientation=1, size=(40, 48)):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return pixels


@pytest.mark.parametrize(
    ('between', 'padding'),
    [
        ([], None),
        ([PAD], [0, 16, 0, 24]),
        ([{'type': 'Resize', 'scale': (96, 80)}], None),
        ([{'type': 'Resize', 'scale': (24, 20)}, PAD], [0, 40, 0, 44]),
        ([PAD, {'type': 'Resize', 'scale': (128, 128)}], [0, 32, 0, 48]),
        ([{'type': 'Pad', 'size_divisor': 32}], [0, 16, 0, 24]),
    ],
)
def test_padding_is_noted_for_what_cuts_it_off(tmp_path, between, padding):
    photo(tmp_path / 'a.png')
    transforms = [TRANSFORMS.build(step) for step in (LOAD, *between, PACK)]
    packed = run_test_pipeline(transforms, {'img_path': str(tmp_path / 'a.png')})
    assert packed['data_samples'].metainfo.get('padding_size') == padding


def test_a_crop_cannot_be_undone(tmp_path):
    photo(tmp_path / 'a.png')
    transforms = [TRANSFORMS.build(step) for step in (LOAD, {'type': 'CenterCrop', 'crop_size': 20}, PACK)]
    with pytest.raises(ValueError, match='CenterCrop of the test pipeline makes 20x20 .* 40x48: only resizing'):
        run_test_pipeline(transforms, {'img_path': str(tmp_path / 'a.png')})


@pytest.mark.parametrize('orientation', range(1, 9))
def test_images_are_turned_as_their_file_says_and_back(tmp_path, orientation):
    stored = photo(tmp_path / 'a.png', orientation)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / 'a.png')))
    assert (turned(stored, orientation) == shown).all()
    assert (turned_back(shown, orientation) == stored).all()


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('flag', ['color', 'unchanged', 'grayscale', 'color_ignore_orientation'])
def test_what_the_loader_makes_of_an_orientation_is_seen(tmp_path, orientation, flag):
    stored = photo(tmp_path / 'a.png', orientation)
    loader = TRANSFORMS.build({'type': 'LoadImageFromFile', 'color_type': flag})
    loaded = loader({'img_path': str(tmp_path / 'a.png')})['img']
    back = turned_back(loaded, applied_orientation(tmp_path / 'a.png', loader))
    assert back.shape[:2] == (40, 48)
    if back.ndim == 3:
        assert (back[..., ::-1] == stored).all()
