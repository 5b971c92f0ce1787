import shutil

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.registry import DATASETS, TRANSFORMS
from toys.segmentation import TRAIN_PIPELINE, mutual_dataset

from mmdmt.method.draws import Draw

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@TRANSFORMS.register_module(force=True)
class Unlucky(BaseTransform):
    """A transform with a fault of its own."""

    def transform(self, results):
        raise ZeroDivisionError


@pytest.fixture
def folder(shapes_folder, tmp_path):
    return shutil.copytree(shapes_folder, tmp_path / 'own')


def build(folder):
    return DATASETS.build(mutual_dataset(folder))


@pytest.mark.parametrize(('content', 'words'), [(b'', 'is empty'), (b'<html>not found</html>', 'is no image')])
@pytest.mark.parametrize(('file', 'key'), [('images/003.png', 'img_path'), ('masks/003.png', 'seg_map_path')])
def test_a_file_of_a_labeled_image_that_holds_none_is_named(folder, file, key, content, words):
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf'{folder}/{file} \({key}\) {words}.*: replace it, or take it off the list'):
        build(folder)[Draw('left', 3, 7, None)]


def test_an_unlabeled_file_that_holds_no_image_is_named_when_it_is_labeled(folder):
    (folder / 'images/008.png').write_bytes(b'')
    with pytest.raises(ValueError, match=rf'{folder}/images/008.png \(img_path\) is empty'):
        build(folder).labeling_item(2)


def test_the_error_of_a_transform_is_left_as_it_is(folder):
    config = mutual_dataset(folder)
    config['labeled']['pipeline'] = [TRAIN_PIPELINE[0], {'type': 'Unlucky'}, *TRAIN_PIPELINE[1:]]
    (folder / 'masks/003.png').write_bytes(b'')  # it would be found, but was not the reason
    with pytest.raises(ZeroDivisionError):
        DATASETS.build(config)[Draw('left', 3, 7, None)]


def test_a_mask_of_another_size_is_named_with_its_image(folder):
    dataset = build(folder)
    dataset[Draw('left', 3, 7, None)]
    # Half the size: the transforms would make them alike, and the labels wrong.
    mask = cv2.imread(str(folder / 'masks/003.png'), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(folder / 'masks/003.png'), np.ascontiguousarray(mask[::2, ::2]))
    words = f'The image {folder}/images/003.png is 36x48 .* but its mask {folder}/masks/003.png is 18x24'
    with pytest.raises(ValueError, match=words):
        dataset[Draw('left', 3, 7, None)]
