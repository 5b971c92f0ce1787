"""Data with every defect that a check has to find."""

import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from toys.segmentation import VAL_PIPELINE, mutual_dataset, shapes, toy_segmentor

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
    problem = the_one(check().problems, '3 masks hold labels that are not a class, but the 3 classes are 0..2 and 255')
    for number in (1, 4, 17):
        assert f'{number:03d}.png (4, 7: 7 pixels)' in problem


def test_the_labels_are_those_that_the_heads_see(check):
    """With reduce_zero_label, zero is ignored and one the first class."""
    settings = {'train_dataloader.dataset.labeled.reduce_zero_label': True}
    settings['val_dataloader.dataset.reduce_zero_label'] = True
    report = check(**settings)
    plain = check()
    before, after = (pixels_of_classes(one.lists['labeled'], one.images['labeled']) for one in (plain, report))
    assert after.tolist() == [*before[1:], 0]
    the_one(report.problems, 'disc: in no labeled mask')


@pytest.mark.parametrize('color', ['RGB', 'I;16', 'LA'])
def test_a_mask_of_another_kind_is_refused(check, data, color):
    mask = Image.open(data / 'masks' / '002.png')
    mask = Image.fromarray(np.asarray(mask).astype(np.uint16)) if color == 'I;16' else mask.convert(color)
    mask.save(data / 'masks' / '002.png')
    (problem,) = check().problems
    assert f'002.png is an image of mode {color}' in problem
    assert ('8 bits with class ids' if color == 'I;16' else 'color_masks.py') in problem


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
    the_one(problems, '000.png has 44x39 pixels, but its image', '44x40: pair the right files')
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
    assert len(problems) == 4
    the_one(problems, 'The image', 'images/000.png does not exist: check data_root, data_prefix, the suffixes')
    the_one(problems, 'The mask', 'masks/001.png does not exist')
    unreadable = the_one(problems, '3 images cannot be read: replace it')
    assert all(f'{data}/images/{number:03d}.png (' in unreadable for number in (7, 8, 9))
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
    model = {'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': toy_segmentor(num_classes=19)}}
    order = {'val_dataloader.dataset.metainfo.classes': ('ground', 'disc', 'square')}
    problems = check(**order, model=model).problems
    assert len(problems) == 2
    the_one(problems, "but 'ground', 'disc', 'square' in the val dataset: give all the same metainfo classes")
    the_one(problems, "is 19 in the heads of peer 'left', but 3 in the labeled dataset (ground, square, disc)")
    model = {'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': toy_segmentor(), 'right': toy_segmentor(width=2)}}
    model['peers']['right']['decode_head']['num_classes'] = 4
    the_one(check(model=model).problems, "Training would refuse model: The num_classes is 3 in peer 'left', but 4")


def test_seven_hundred_files_of_one_fault_are_one_line(check, data):
    for number in range(3, 6):
        (data / 'masks' / f'{number:03d}.png').unlink()
    for path in sorted((data / 'images').glob('00[6-9].png')):
        path.unlink()
    problems = check().problems
    assert len(problems) == 2
    masks = the_one(problems, '3 masks do not exist: check data_root, data_prefix, the suffixes')
    assert masks.endswith(', '.join(f'{data}/masks/{number:03d}.png' for number in (3, 4, 5)) + '.')
    the_one(problems, '4 images do not exist', 'images/008.png and 1 more.')


@pytest.mark.parametrize(('part', 'folder'), [('img_path', 'pictures'), ('seg_map_path', 'labels')])
def test_a_missing_folder_is_said_once_a_list(check, data, part, folder):
    problems = check(**{f'train_dataloader.dataset.labeled.data_prefix.{part}': folder}).problems
    the_one(problems, f'The labeled list cannot be made: {data}/{folder} ({part} of the labeled dataset', 'data_root')
    assert len(problems) == 1


def test_a_void_id_in_all_masks_is_one_line_that_knows_it(check, data):
    for path in sorted((data / 'masks').glob('*.png')):
        damage(path, lambda mask: np.vstack([np.full_like(mask[:4], 3), mask[4:]]))
    problems = check().problems
    assert len(problems) == 2
    for name, count in (('labeled', 6), ('val', 4)):
        problem = the_one(problems, f'3 stands in {count} of {count} {name} masks')
        assert 'set ignore_index=3 of datasets, heads and metrics and seg_pad_val=3' in problem


def test_masks_that_count_from_one_are_recognized(check, data):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: mask + 1)
    the_one(check().problems, '3 stands in 6 of 6 labeled masks', 'no mask holds 0', 'reduce_zero_label=True')


def ignoring(value, *places):
    """Settings by which some places ignore a label, and heads that ignore another."""
    model = {'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': toy_segmentor(ignore_index=3)}}
    model['peers']['left']['auxiliary_head']['ignore_index'] = 3
    model['peers']['left']['data_preprocessor']['seg_pad_val'] = 3
    everywhere = {
        'model': model,
        'val_evaluator': {'type': 'mmdmt.PeerMetric', 'metric': {'type': 'IoUMetric', 'ignore_index': 3}},
        'train_dataloader.dataset.labeled.ignore_index': 3,
        'val_dataloader.dataset.ignore_index': 3,
        'test_dataloader.dataset.ignore_index': 3,
    }
    return {**everywhere, **dict.fromkeys(places, value)}


def test_an_ignored_label_of_any_value_is_fine_where_all_have_it(check, data):
    for path in sorted((data / 'masks').glob('*.png')):
        damage(path, lambda mask: np.vstack([np.full_like(mask[:4], 3), mask[4:]]))
    report = check(**ignoring(3))
    assert not report.problems
    assert pixels_of_classes(report.lists['labeled'], report.images['labeled']).sum() < 6 * 36 * 48


@pytest.mark.parametrize(
    ('place', 'named'),
    [
        ('train_dataloader.dataset.labeled.ignore_index', 'the labeled dataset'),
        ('val_dataloader.dataset.ignore_index', 'the val dataset'),
        ('val_evaluator.metric.ignore_index', 'PeerMetric of val_evaluator'),
        ('model.peers.left.data_preprocessor.seg_pad_val', "seg_pad_val of the data_preprocessor of peer 'left'"),
    ],
)
def test_an_ignored_label_that_differs_is_a_problem(check, place, named):
    the_one(
        check(**ignoring(255, place)).problems, "ignore_index is 3 in decode_head of peer 'left'", f'255 in {named}'
    )


def test_padding_of_a_transform_must_fill_in_the_ignored_label(check):
    pipeline = [*VAL_PIPELINE[:2], {'type': 'Pad', 'size': (64, 64)}, VAL_PIPELINE[2]]
    problems = check(**ignoring(3), **{'train_dataloader.dataset.labeled.pipeline': pipeline}).problems
    the_one(problems, "255 in pad_val['seg'] of Pad of the labeled dataset")


@pytest.mark.parametrize('ignored', [-100, 300])
def test_a_label_that_no_mask_can_hold_is_a_problem(check, ignored):
    problems = check(**{'train_dataloader.dataset.labeled.ignore_index': ignored}).problems
    the_one(problems, f'ignore_index={ignored} of the labeled dataset cannot stand in a mask of 8 bits', 'in 0..255')


def test_zero_must_mean_the_same_in_all_sets(check):
    problems = check(**{'train_dataloader.dataset.labeled.reduce_zero_label': True}).problems
    the_one(problems, 'reduce_zero_label is True in the labeled dataset, but False in the val dataset')


def test_one_class_is_a_problem(check, data):
    for path in sorted((data / 'masks').glob('*.png')):
        damage(path, lambda mask: np.where(mask > 0, 255, 0).astype(np.uint8))
    one = {'classes': ('plant',), 'palette': [[0, 255, 0]]}
    places = ('train_dataloader.dataset.labeled', 'val_dataloader.dataset', 'test_dataloader.dataset')
    problems = check(**{f'{place}.metainfo.{key}': value for place in places for key, value in one.items()}).problems
    the_one(problems, 'num_classes is 1 in the labeled dataset (plant)', 'name the background as a class')


@pytest.mark.parametrize(('suffix', 'kind'), [('.PNG', 'RGB'), ('.tif', 'RGB'), ('.tif', 'I;16'), ('.TIFF', 'F')])
def test_masks_are_judged_by_their_content_not_by_their_names(check, data, suffix, kind):
    dtypes = {'I;16': np.uint16, 'F': np.float32}
    for path in sorted((data / 'masks').glob('*.png')):
        mask = np.asarray(Image.open(path))
        changed = Image.fromarray(np.dstack([mask] * 3) if kind == 'RGB' else mask.astype(dtypes[kind]))
        changed.save(path.with_suffix(suffix), format='PNG' if suffix == '.PNG' else 'TIFF')
        path.unlink()
    places = ('train_dataloader.dataset.labeled', 'val_dataloader.dataset', 'test_dataloader.dataset')
    problems = check(**{f'{place}.seg_map_suffix': suffix for place in places}).problems
    the_one(problems, f'10 masks are images of mode {kind}, but a mask has one channel of 8 bits: convert it')


def test_images_of_16_bits_that_loading_turns_nearly_black_are_a_problem(check, data):
    for path in sorted((data / 'images').glob('*.png')):
        damage(path, lambda image: image.astype(np.uint16) * 16)
    problem = the_one(check().problems, '20 images have 16 bits a channel, but are loaded with 8')
    assert '000.png (up to 12)' in problem


def test_images_of_16_bits_that_use_them_all_are_a_warning(check, data):
    for path in sorted((data / 'images').glob('*.png')):
        damage(path, lambda image: image.astype(np.uint16) * 257)
    report = check()
    assert not report.problems
    the_one(report.warnings, '20 images have 16 bits a channel, but are loaded with 8', "color_type='unchanged'")


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.tif'])
def test_images_that_exif_turns_upside_down_are_told(check, data, suffix):
    exif = Image.Exif()
    exif[274] = 3
    path = data / 'images' / '000.png'
    Image.open(path).save(path.with_suffix(suffix), exif=exif)
    path.with_suffix(suffix).replace(path)
    turned = the_one(check().warnings, '000.png has EXIF orientation 3', 'color_ignore_orientation')
    assert 'its mask is not' in turned
    plain = {'type': 'LoadImageFromFile', 'color_type': 'color_ignore_orientation'}
    assert not check(**{'train_dataloader.dataset.labeled.pipeline': [plain, *VAL_PIPELINE[1:]]}).warnings


def test_bands_that_are_not_loaded_are_told(check, data):
    for path in sorted((data / 'images').glob('*.png')):
        image = np.asarray(Image.open(path))
        cv2.imwrite(str(path.with_suffix('.tif')), np.dstack([image, image[..., :1]]))
        path.with_suffix('.tif').replace(path)
    the_one(check().warnings, '20 images have 4 channels, of which 3 are loaded')


def test_empty_masks_and_absent_classes_are_warnings(check, data):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.where(mask == 1, 0, mask))
    damage(data / 'masks' / '003.png', lambda mask: np.full_like(mask, 255))
    damage(data / 'masks' / '004.png', lambda mask: np.zeros_like(mask))
    report = check()
    the_one(report.problems, 'square: in no labeled mask. Label some')
    assert len(report.warnings) == 2
    the_one(report.warnings, '1 of 6 labeled masks are ignored altogether', '003.png')
    the_one(report.warnings, '1 of 6 labeled masks hold one class only', '004.png')


def test_masks_in_black_and_white_are_recognized(check, data):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.where(mask > 0, 255, 0).astype(np.uint8))
    the_one(check().problems, 'square, disc: in no labeled mask', '0 and 255 alone', 'color_masks.py')


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


def test_images_that_a_suffix_keeps_out_of_a_folders_list_are_told(check, data):
    shutil.copytree(data / 'images', data / 'pool')
    for number in range(16, 20):
        (data / 'pool' / f'{number:03d}.png').rename(data / 'pool' / f'{number:03d}.PNG')
    for number in range(6):
        (data / 'pool' / f'{number:03d}.png').unlink()
    unlabeled = 'train_dataloader.dataset.unlabeled'
    report = check(**{f'{unlabeled}.ann_file': '', f'{unlabeled}.data_prefix.img_path': 'pool'})
    assert len(report.images['unlabeled']) == 10
    the_one(report.warnings, '4 images of', "do not end in '.png' and are not in the unlabeled list: 016.PNG, 017.PNG")
