import shutil

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.fileio import LocalBackend
from mmengine.registry import DATASETS, TRANSFORMS
from toys.segmentation import TRAIN_PIPELINE, mutual_dataset

from mmdmt.method.draws import Draw

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@TRANSFORMS.register_module(force=True)
class Unlucky(BaseTransform):
    """A transform with a fault of its own."""

    def transform(self, results):
        raise ZeroDivisionError


@TRANSFORMS.register_module(force=True)
class Picky(BaseTransform):
    """A transform that cannot take tiny images, and says so in words of its own."""

    def transform(self, results):
        return [results][min(results['img'].shape[:2]) < 2]


@pytest.fixture
def folder(shapes_folder, tmp_path):
    return shutil.copytree(shapes_folder, tmp_path / 'own')


def build(folder):
    return DATASETS.build(mutual_dataset(folder))


@pytest.mark.parametrize(
    ('file', 'key', 'content', 'words'),
    [
        ('images/003.png', 'img_path', b'', 'is empty'),
        ('masks/003.png', 'seg_map_path', b'<html>not found</html>', 'is not an image'),
    ],
)
def test_a_file_of_a_labeled_image_that_holds_none_is_named(folder, file, key, content, words):
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf'{folder}/{file} \({key}\) {words}.*: replace it, or take it off the list'):
        build(folder)[Draw('left', 3, 7, None)]


def test_an_unlabeled_file_that_holds_no_image_is_named_when_it_is_labeled(folder):
    (folder / 'images/008.png').write_bytes(b'')
    with pytest.raises(ValueError, match=rf'{folder}/images/008.png \(img_path\) is empty'):
        build(folder).labeling_item(2)


def test_the_error_of_a_transform_names_the_image_and_the_transform(folder):
    config = mutual_dataset(folder)
    config['labeled']['pipeline'] = [TRAIN_PIPELINE[0], {'type': 'Unlucky'}, *TRAIN_PIPELINE[1:]]
    words = rf'{folder}/images/000.png cannot go through Unlucky of its pipeline \(ZeroDivisionError: \): mend the'
    with pytest.raises(ValueError, match=words):
        DATASETS.build(config)


def test_a_labeled_image_too_small_for_its_pipeline_is_named(folder):
    for kind in ('images', 'masks'):
        image = cv2.imread(str(folder / kind / '003.png'), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(folder / kind / '003.png'), image[:1, :1])
    with pytest.raises(ValueError, match=rf'{folder}/masks/003.png is one pixel high or wide'):
        build(folder)[Draw('left', 3, 7, None)]


def test_an_unlabeled_image_that_no_resize_can_take_is_named(folder):
    config = mutual_dataset(folder)
    config['unlabeled']['pipeline'] = [TRAIN_PIPELINE[0], {'type': 'Picky'}, {'type': 'mmdmt.LoadPseudoLabel'}]
    config['unlabeled']['pipeline'].append({'type': 'mmdmt.PackPseudoLabel'})
    cv2.imwrite(str(folder / 'images/008.png'), np.zeros((1, 900, 3), np.uint8))
    with pytest.raises(ValueError, match=rf'{folder}/images/008.png cannot go through Picky .* It had 900x1 pixels'):
        DATASETS.build(config).labeling_item(2)


def test_the_file_of_a_mask_is_read_once_each_draw(folder, monkeypatch):
    dataset, read = build(folder), []
    get = LocalBackend.get

    def reading(backend, path):
        read.append(str(path))
        return get(backend, path)

    monkeypatch.setattr(LocalBackend, 'get', reading)
    dataset[Draw('left', 3, 7, None)]
    assert sorted(read) == [f'{folder}/{kind}/003.png' for kind in ('images', 'masks')]
