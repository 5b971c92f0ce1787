"""Data with every defect that a check has to find."""

import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from toys.segmentation import VAL_PIPELINE, mutual_dataset, shapes

from mmdmt.preparation.data_check import check_data, images_of_classes, pixels_of_classes


@pytest.fixture
def data(shapes_folder, tmp_path):
    """A copy of the shapes, to be damaged: 000-005 labeled, 006-015 unlabeled, 016-019 val."""
    return shutil.copytree(shapes_folder, tmp_path / 'data')


def config_of(root, **settings):
    config = Config(
        {
            'train_dataloader': {'dataset': mutual_dataset(root)},
            'val_dataloader': {'dataset': shapes(root, 'val.txt', pipeline=VAL_PIPELINE)},
            'test_dataloader': {'dataset': shapes(root, 'val.txt', pipeline=VAL_PIPELINE)},
        }
    )
    config.merge_from_dict(settings)
    return config


@pytest.fixture
def check(data, mmseg_scope):
    return lambda **settings: check_data(config_of(data, **settings), workers=1)


def damage(path, change):
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(path), change(mask))


def the_one(sentences, *parts):
    found = [sentence for sentence in sentences if all(part in sentence for part in parts)]
    assert len(found) == 1, sentences
    return found[0]


def test_sound_data_pass_and_are_counted(check, data):
    report = check()
    assert not report.problems
    assert not report.warnings
    assert {name: len(images) for name, images in report.images.items()} == {'labeled': 6, 'unlabeled': 10, 'val': 4}
    masks = [np.asarray(Image.open(data / 'masks' / f'{number:03d}.png')) for number in range(6)]
    labeled = report.lists['labeled'], report.images['labeled']
    expected = [[(mask == label).sum() for mask in masks] for label in range(3)]
    assert pixels_of_classes(*labeled).tolist() == np.sum(expected, axis=1).tolist()
    assert images_of_classes(*labeled).tolist() == np.count_nonzero(expected, axis=1).tolist()


def test_every_foreign_id_is_listed_with_its_file(check, data):
    def spoil(mask):
        mask[:2, :3], mask[5, 5], mask[9, 9] = 7, 4, 255
        return mask

    for number in (1, 4, 17):
        damage(data / 'masks' / f'{number:03d}.png', spoil)
    problems = check().problems
    assert len(problems) == 3
    for number in (1, 4, 17):
        the_one(problems, f'{number:03d}.png holds 4, 7 (7 pixels), but the 3 classes are 0..2 and 255 is ignored')


def test_the_labels_are_those_that_the_heads_see(check):
    """With reduce_zero_label, zero is ignored and one the first class."""
    settings = {'train_dataloader.dataset.labeled.reduce_zero_label': True}
    report = check(**settings)
    assert not report.problems
    plain = check()
    before, after = (pixels_of_classes(one.lists['labeled'], one.images['labeled']) for one in (plain, report))
    assert after.tolist() == [*before[1:], 0]
    the_one(report.warnings, 'disc: in no labeled mask')


@pytest.mark.parametrize('color', ['RGB', 'I;16', 'LA'])
def test_a_mask_of_another_kind_is_refused(check, data, color):
    mask = Image.open(data / 'masks' / '002.png')
    mask = Image.fromarray(np.asarray(mask).astype(np.uint16)) if color == 'I;16' else mask.convert(color)
    mask.save(data / 'masks' / '002.png')
    (problem,) = check().problems
    assert f'002.png is an image of mode {color}' in problem
    assert 'color_masks.py' in problem


def test_a_mask_with_a_palette_is_fine(check, data):
    mask = Image.open(data / 'masks' / '002.png')
    mask.putpalette([number for number in range(256) for _ in range(3)])
    mask.save(data / 'masks' / '002.png')
    assert not check().problems


def test_sizes_of_image_and_mask_are_compared(check, data):
    damage(data / 'masks' / '000.png', lambda mask: mask[:-1])
    damage(data / 'masks' / '019.png', lambda mask: mask.T)
    problems = check().problems
    assert len(problems) == 2
    the_one(problems, '000.png has 44x39 pixels, but its image', '44x40. Pair the right files')
    the_one(problems, '019.png has 36x48 pixels', 'EXIF')


def test_an_image_turned_by_its_exif_orientation_does_not_fit_its_mask(check, data):
    image = Image.open(data / 'images' / '000.png')
    exif = image.getexif()
    exif[274] = 6
    image.save(data / 'images' / '000.jpg', exif=exif)
    (data / 'images' / '000.jpg').replace(data / 'images' / '000.png')
    the_one(check().problems, '000.png has 44x40 pixels', '40x44', 'EXIF')


def test_files_that_are_missing_cut_short_or_no_images_are_named(check, data):
    (data / 'images' / '000.png').unlink()
    (data / 'masks' / '001.png').unlink()
    (data / 'images' / '007.png').write_bytes((data / 'images' / '007.png').read_bytes()[:-200])
    (data / 'images' / '008.png').write_text('no image')
    (data / 'images' / '009.png').write_bytes(b'')
    (data / 'masks' / '016.png').write_bytes((data / 'masks' / '016.png').read_bytes()[:80])
    problems = check().problems
    assert len(problems) == 6
    the_one(problems, 'The image', 'images/000.png does not exist')
    the_one(problems, 'The mask', 'masks/001.png does not exist')
    for number in (7, 8, 9):
        the_one(problems, f'The image {data}/images/{number:03d}.png cannot be read')
    the_one(problems, 'The mask', 'masks/016.png cannot be read')


def test_a_jpeg_that_is_cut_short_is_found_though_opencv_reads_it(check, data):
    path = data / 'images' / '007.png'
    Image.open(path).save(data / 'whole.jpg')
    path.write_bytes((data / 'whole.jpg').read_bytes()[:-100])
    assert cv2.imread(str(path)) is not None
    the_one(check().problems, '007.png cannot be read')


def test_overlaps_of_the_lists_are_problems(check, data):
    (data / 'unlabeled.txt').write_text('\n'.join(f'{number:03d}' for number in range(4, 17)))
    (data / 'val.txt').write_text('000\n016\n017\n')
    problems = check().problems
    assert len(problems) == 3
    the_one(problems, '2 images are both labeled and unlabeled', '004.png', '005.png')
    the_one(problems, '1 images are both labeled and val', '000.png')
    the_one(problems, '1 images are both unlabeled and val', '016.png')


def test_lists_that_cannot_be_made_are_problems_and_the_others_are_checked(check, data):
    (data / 'labeled.txt').unlink()
    (data / 'val.txt').write_text('')
    (data / 'images' / '007.png').unlink()
    problems = check().problems
    the_one(problems, 'The labeled list cannot be made', 'labeled.txt')
    the_one(problems, 'The val list cannot be made: it has no image', "img_suffix='.png'")
    the_one(problems, '007.png does not exist')
    assert len(problems) == 3


def test_classes_are_compared_with_those_of_other_lists_and_heads(check):
    heads = {'decode_head': {'num_classes': 19}, 'auxiliary_head': [{'num_classes': 3}, {'num_classes': 21}]}
    problems = check(
        **{
            'val_dataloader.dataset.metainfo.classes': ('ground', 'disc', 'square'),
            'model': {'peers': {'left': heads}, 'backbone': {'num_classes': 1000}},
        }
    ).problems
    assert len(problems) == 3
    the_one(problems, "The val classes are ('ground', 'disc', 'square'), but the labeled ones are")
    the_one(problems, 'model.peers.left.decode_head.num_classes is 19, but there are 3 classes (ground, square, disc)')
    the_one(problems, 'model.peers.left.auxiliary_head.1.num_classes is 21')


def test_empty_masks_and_absent_classes_are_warnings(check, data):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.where(mask == 1, 0, mask))
    damage(data / 'masks' / '003.png', lambda mask: np.full_like(mask, 255))
    damage(data / 'masks' / '004.png', lambda mask: np.zeros_like(mask))
    report = check()
    assert not report.problems
    assert len(report.warnings) == 3
    the_one(report.warnings, 'square: in no labeled mask')
    the_one(report.warnings, '1 of 6 labeled masks are ignored altogether', '003.png')
    the_one(report.warnings, '1 of 6 labeled masks hold one class only', '004.png')


def test_masks_in_black_and_white_are_recognized(check, data):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.where(mask > 0, 255, 0).astype(np.uint8))
    the_one(check().warnings, 'square, disc: in no labeled mask', '0 and 255 alone', 'color_masks.py')


def test_images_of_the_same_content_are_warnings(check, data):
    shutil.copy(data / 'images' / '001.png', data / 'images' / '017.png')
    shutil.copy(data / 'masks' / '001.png', data / 'masks' / '017.png')
    # Of other bytes, but the same pixels.
    Image.open(data / 'images' / '006.png').save(data / 'images' / '008.png', compress_level=0)
    (data / 'labeled.txt').write_text((data / 'labeled.txt').read_text() + '000\n')
    report = check()
    assert not report.problems
    assert len(report.warnings) == 3
    the_one(report.warnings, '1 images of val are the same as images of labeled', '017.png = ', '001.png')
    the_one(report.warnings, '1 images of unlabeled are the same as other images', '008.png = ', '006.png')
    the_one(report.warnings, '1 images stand more than once in the labeled list', '000.png')


def test_masks_of_unlabeled_images_are_not_read(check, data):
    (data / 'masks' / '007.png').write_text('no image')
    prefix = {'img_path': 'images', 'seg_map_path': 'masks'}
    assert not check(**{'train_dataloader.dataset.unlabeled.data_prefix': prefix}).problems


def test_plain_training_and_joined_datasets_are_checked(data, mmseg_scope):
    part = shapes(data, 'labeled.txt', pipeline=VAL_PIPELINE)
    joined = {'type': 'ConcatDataset', 'datasets': [part, shapes(data, 'val.txt', pipeline=VAL_PIPELINE)]}
    config = Config({'train_dataloader': {'dataset': {'type': 'RepeatDataset', 'times': 2, 'dataset': joined}}})
    report = check_data(config, workers=2)
    assert not report.problems
    assert {name: len(images) for name, images in report.images.items()} == {'labeled': 10}


def test_images_that_are_no_files_are_refused(mmseg_scope):
    pipeline = [{'type': 'mmdmt.LoadSceneImage'}, {'type': 'mmdmt.LoadSceneAnnotations'}]
    parts = {
        name: {'type': 'mmdmt.DigitScenes', 'split': name, 'pipeline': pipeline} for name in ('labeled', 'unlabeled')
    }
    del parts['unlabeled']['pipeline']
    config = Config({'train_dataloader': {'dataset': {'type': 'mmdmt.MutualDataset', **parts}}})
    problems = check_data(config, workers=1).problems
    assert len(problems) == 2
    assert all('its images come from mmdmt.LoadSceneImage, and only files can be checked' in p for p in problems)
