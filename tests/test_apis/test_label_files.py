"""What lies on a loaded image comes back to the pixels as they are stored."""

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image

from mmdmt.apis.label_files import LabelFiles

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('flag', ['color', 'unchanged', 'grayscale', 'color_ignore_orientation'])
def test_the_exif_orientation_that_a_loader_applies_is_undone(tmp_path, orientation, flag):
    stored = np.random.default_rng(0).integers(0, 256, (40, 48, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / 'a.png', exif=exif)
    loader = TRANSFORMS.build({'type': 'LoadImageFromFile', 'color_type': flag})
    files = LabelFiles(tmp_path, {'a': tmp_path / 'a.png'}, loader)
    back = files.as_stored(loader({'img_path': str(tmp_path / 'a.png')})['img'], 'a')
    assert back.shape[:2] == (40, 48)
    if back.ndim == 3:
        assert (back[..., ::-1] == stored).all()
