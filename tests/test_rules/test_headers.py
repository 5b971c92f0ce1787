"""Headers tell of every file what a look at some does not."""

import shutil

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS
from toys.segmentation import VAL_PIPELINE, shapes

from mmdmt.rules.headers import band_findings, mask_findings
from mmdmt.rules.image_content import read_content

pytestmark = pytest.mark.usefixtures('mmseg_scope')
UNCHANGED = [{'type': 'LoadImageFromFile', 'color_type': 'unchanged'}, *VAL_PIPELINE[1:]]


@pytest.fixture
def data(shapes_folder, tmp_path):
    folder = shutil.copytree(shapes_folder, tmp_path / 'data')
    (folder / 'all.txt').write_text(''.join(f'{number:03d}\n' for number in [*range(6), *range(16, 20)]))
    return folder


def found(data, bands=None, pipeline=UNCHANGED):
    dataset = DATASETS.build(shapes(data, 'all.txt', pipeline=pipeline))
    return [str(one) for one in [*mask_findings([dataset]), *band_findings([dataset], bands)]]


def test_sound_files_are_fine_and_read_once(data, monkeypatch):
    assert found(data) == []
    monkeypatch.setattr('mmdmt.rules.headers.read_content', lambda path: pytest.fail(f'{path} is read again'))
    assert found(data) == []


def test_one_image_of_other_bands_is_named(data):
    path = data / 'images' / '017.png'
    cv2.imwrite(str(path), np.dstack([cv2.imread(str(path)), np.zeros((36, 48), np.uint8)]))
    assert [f'{path} has 4 bands, but 3 are wanted' in one for one in found(data)] == [True]
    assert len(found(data, bands=4)) == 9
    assert found(data, pipeline=VAL_PIPELINE) == []  # which loads three bands of any


def test_one_mask_of_16_bits_is_named(data):
    path = data / 'masks' / '018.png'
    cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.uint16))
    (sentence,) = found(data)
    assert f'{path} is an image of mode I;16, but a mask has one channel of 8 bits' in sentence


def test_an_array_has_a_header_too(tmp_path):
    np.save(tmp_path / 'a.npy', np.zeros((5, 7, 4), np.float32))
    content = read_content(tmp_path / 'a.npy')
    assert (content.size, content.channels, content.bits) == ((5, 7), 4, 32)
