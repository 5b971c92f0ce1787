"""Data with every defect that a check has to find."""

import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from toys.segmentation import VAL_PIPELINE, mutual_dataset, shapes, toy_segmentor

from mmdmt.preparation.data_check import check_data, images_of_classes, pixels_of_classes

LABELED, VAL, TEST = 'train_dataloader.dataset.labeled', 'val_dataloader.dataset', 'test_dataloader.dataset'
UNLABELED = 'train_dataloader.dataset.unlabeled'


@pytest.fixture
def data(shapes_folder, tmp_path):
    """A copy of the shapes, to be damaged: 000-005 labeled, 006-015 unlabeled, 016-019 val."""
    return shutil.copytree(shapes_folder, tmp_path / 'data')


@pytest.fixture
def check(data, mmseg_scope):
    def check(**settings):
        loaders = {name: {'dataset': shapes(data, 'val.txt', pipeline=VAL_PIPELINE)} for name in ('val', 'test')}
        loaders['train'] = {'dataset': mutual_dataset(data)}
        config = Config({f'{name}_dataloader': loader for name, loader in loaders.items()})
        config.merge_from_dict(settings)
        return check_data(config, workers=1)

    return check


def change(*places):
    """Make a damage of a function of the pixels of some files."""

    def of(function, folder='masks'):
        def damage(data):
            paths = [data / folder / f'{number:03d}.png' for number in places] or sorted((data / folder).glob('*'))
            for path in paths:
                cv2.imwrite(str(path), function(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))

        return damage

    return of


def the_one(sentences, *parts):
    found = [sentence for sentence in sentences if all(part in sentence for part in parts)]
    assert len(found) == 1, sentences
    return found[0]


def test_sound_data_pass_and_are_counted(check, data):
    mask = Image.open(data / 'masks' / '002.png')
    mask.putpalette([number for number in range(256) for _ in range(3)])
    mask.save(data / 'masks' / '002.png')
    report = check()
    assert not report.problems
    assert not report.warnings
    assert {name: len(images) for name, images in report.images.items()} == {'labeled': 6, 'unlabeled': 10, 'val': 4}
    masks = [np.asarray(Image.open(data / 'masks' / f'{number:03d}.png')) for number in range(6)]
    labeled = report.lists['labeled'], report.images['labeled']
    expected = [[(mask == label).sum() for mask in masks] for label in range(3)]
    assert pixels_of_classes(*labeled).tolist() == np.sum(expected, axis=1).tolist()
    assert images_of_classes(*labeled).tolist() == np.count_nonzero(expected, axis=1).tolist()


def spoil(mask):
    mask[:2, :3], mask[5, 5], mask[9, 9] = 7, 4, 255
    return mask


def turned_by_exif(data):
    image = Image.open(data / 'images' / '000.png')
    exif = image.getexif()
    exif[274] = 6
    image.save(data / 'images' / '000.jpg', exif=exif)
    (data / 'images' / '000.jpg').replace(data / 'images' / '000.png')


def files_gone_cut_short_or_no_images(data):
    (data / 'images' / '000.png').unlink()
    (data / 'masks' / '001.png').unlink()
    (data / 'images' / '007.png').write_bytes((data / 'images' / '007.png').read_bytes()[:-200])
    (data / 'images' / '008.png').write_text('no image')
    (data / 'images' / '009.png').write_bytes(b'')
    (data / 'masks' / '016.png').write_bytes((data / 'masks' / '016.png').read_bytes()[:80])


def a_jpeg_cut_short(data):
    path = data / 'images' / '007.png'
    Image.open(path).save(data / 'whole.jpg')
    path.write_bytes((data / 'whole.jpg').read_bytes()[:-100])
    assert cv2.imread(str(path)) is not None


def lists_that_overlap(data):
    (data / 'unlabeled.txt').write_text('\n'.join(f'{number:03d}' for number in range(4, 17)))
    (data / 'val.txt').write_text('000\n016\n017\n')


def lists_that_cannot_be_made(data):
    (data / 'labeled.txt').unlink()
    (data / 'val.txt').write_text('')
    (data / 'images' / '007.png').unlink()


def many_files_gone(data):
    for name in (*(f'masks/{number:03d}' for number in (3, 4, 5)), *(f'images/00{number}' for number in (6, 7, 8, 9))):
        (data / f'{name}.png').unlink()


def nothing(data):
    pass


DMT = 'mmdmt.DynamicMutualTraining'
HEADS_THAT_DIFFER = {'type': DMT, 'peers': {'left': toy_segmentor(), 'right': toy_segmentor(width=2)}}
HEADS_THAT_DIFFER['peers']['right']['decode_head']['num_classes'] = 4
ONE_CLASS = {'classes': ('plant',), 'palette': [[0, 255, 0]]}
BLACK_AND_WHITE = (lambda mask: np.where(mask > 0, 255, 0).astype(np.uint8),)
PROBLEMS = {
    'foreign ids': (change(1, 4, 17)(spoil), {}, [('3 masks hold labels without a class, but the 3 classes are '
                    '0..2 and 255', *(f'{number:03d}.png (4, 7: 7 pixels)' for number in (1, 4, 17)))]),
    'sizes': (lambda data: (change(0)(lambda m: m[:-1])(data), change(19)(lambda m: m.T)(data)), {},
              [('000.png has 44x39 pixels, but its image', '44x40: pair the right files'),
               ('019.png has 36x48 pixels', 'EXIF')]),
    'an image turned by EXIF': (turned_by_exif, {}, [('000.png has 44x40 pixels', '40x44', 'EXIF')]),
    'files': (files_gone_cut_short_or_no_images, {}, [
        ('The image', 'images/000.png does not exist: check data_root, data_prefix, the suffixes'),
        ('The mask', 'masks/001.png does not exist'),
        ('3 images cannot be read: replace it', '007.png (', '008.png (', '009.png ('),
        ('The mask', 'masks/016.png cannot be read')]),
    'a JPEG that OpenCV fills up': (a_jpeg_cut_short, {}, [('007.png cannot be read',)]),
    'overlaps': (lists_that_overlap, {}, [('2 images are both labeled and unlabeled', '004.png', '005.png'),
                 ('1 images are both labeled and val', '000.png'),
                 ('1 images are both unlabeled and val', '016.png')]),
    'lists, and what is left is checked': (lists_that_cannot_be_made, {}, [
        ('The labeled list cannot be made', 'labeled.txt'),
        ('The val list cannot be made: it has no image', "img_suffix='.png'"), ('007.png does not exist',)]),
    'classes in another order, heads': (nothing, {
        f'{VAL}.metainfo.classes': ('ground', 'disc', 'square'),
        'model': {'type': DMT, 'peers': {'left': toy_segmentor(num_classes=19)}}}, [
        ("but 'ground', 'disc', 'square' in the val dataset: give all the same metainfo classes",),
        ("is 19 in the heads of peer 'left', but 3 in the labeled dataset (ground, square, disc)",)]),
    'heads that differ': (nothing, {'model': HEADS_THAT_DIFFER}, [
        ("Training would refuse model: The num_classes is 3 in peer 'left', but 4",)]),
    'many files of one fault are one line': (many_files_gone, {}, [
        ('3 masks do not exist: check data_root, data_prefix, the suffixes', 'masks/003.png', 'masks/005.png.'),
        ('4 images do not exist', 'images/008.png and 1 more.')]),
    'image folder': (nothing, {f'{LABELED}.data_prefix.img_path': 'pictures'}, [
        ('The labeled list cannot be made: ', 'data/pictures (img_path of the labeled dataset', 'data_root')]),
    'mask folder': (nothing, {f'{LABELED}.data_prefix.seg_map_path': 'labels'}, [
        ('The labeled list cannot be made: ', 'data/labels (seg_map_path of the labeled dataset', 'data_root')]),
    'a void id': (change()(lambda mask: np.vstack([np.full_like(mask[:4], 3), mask[4:]])), {}, [
        (f'3 stands in {count} of {count} {name} masks',
         'set ignore_index=3 of datasets, heads and metrics and seg_pad_val=3')
        for name, count in (('labeled', 6), ('val', 4))]),
    'classes from one': (change(*range(6))(lambda mask: mask + 1), {}, [
        ('3 stands in 6 of 6 labeled masks', 'no mask holds 0', 'reduce_zero_label=True')]),
    'ignored -100': (nothing, {f'{LABELED}.ignore_index': -100}, [
        ('ignore_index=-100 of the labeled dataset cannot stand in a mask of 8 bits', 'in 0..255')]),
    'ignored 300': (nothing, {f'{LABELED}.ignore_index': 300}, [('ignore_index=300 of the labeled dataset',)]),
    'zero': (nothing, {f'{LABELED}.reduce_zero_label': True}, [
        ('reduce_zero_label is True in the labeled dataset, but False in the val dataset',)]),
    'one class': (change()(*BLACK_AND_WHITE), {
        f'{place}.metainfo.{key}': value for place in (LABELED, VAL, TEST) for key, value in ONE_CLASS.items()}, [
        ('num_classes is 1 in the labeled dataset (plant)', 'name the background as a class')]),
    '16 bits that turn black': (change()(lambda image: image.astype(np.uint16) * 16, 'images'), {}, [
        ('20 images have 16 bits a channel, but are loaded with 8', '000.png (up to 12)')]),
    'black and white': (change(*range(6))(*BLACK_AND_WHITE), {}, [
        ('square, disc: in no labeled mask', '0 and 255 alone', 'color_masks.py')]),
}  # fmt: skip
ALONE = ('sizes', 'files', 'overlaps', 'lists, and what is left is checked', 'a void id')


@pytest.mark.parametrize(('damage', 'settings', 'sentences'), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_is_told_in_a_sentence(check, data, damage, settings, sentences, request):
    damage(data)
    problems = check(**settings).problems
    for parts in sentences:
        the_one(problems, *parts)
    if request.node.callspec.id in ALONE:
        assert len(problems) == len(sentences)


def test_the_labels_are_those_that_the_heads_see(check):
    """With reduce_zero_label, zero is ignored and one the first class."""
    report, plain = check(**{f'{place}.reduce_zero_label': True for place in (LABELED, VAL)}), check()
    before, after = (pixels_of_classes(one.lists['labeled'], one.images['labeled']) for one in (plain, report))
    assert after.tolist() == [*before[1:], 0]
    the_one(report.problems, 'disc: in no labeled mask')


@pytest.mark.parametrize(('suffix', 'kind'), [('.PNG', 'RGB'), ('.tif', 'I;16'), ('.TIFF', 'F')])
def test_masks_are_judged_by_their_content_not_by_their_names(check, data, suffix, kind):
    dtypes = {'I;16': np.uint16, 'F': np.float32}
    for path in sorted((data / 'masks').glob('*.png')):
        mask = np.asarray(Image.open(path))
        changed = Image.fromarray(np.dstack([mask] * 3) if kind == 'RGB' else mask.astype(dtypes[kind]))
        changed.save(path.with_suffix(suffix), format='PNG' if suffix == '.PNG' else 'TIFF')
        path.unlink()
    problems = check(**{f'{place}.seg_map_suffix': suffix for place in (LABELED, VAL, TEST)}).problems
    remedy = 'color_masks.py' if kind == 'RGB' else '8 bits with class ids'
    the_one(problems, f'10 masks are images of mode {kind}, but a mask has one channel of 8 bits: convert it', remedy)


def ignoring(value, *places):
    """Settings by which some places ignore a label, and heads that ignore another."""
    model = {'type': DMT, 'peers': {'left': toy_segmentor(ignore_index=3)}}
    model['peers']['left']['auxiliary_head']['ignore_index'] = 3
    model['peers']['left']['data_preprocessor']['seg_pad_val'] = 3
    everywhere = {'val_evaluator': {'type': 'mmdmt.PeerMetric', 'metric': {'type': 'IoUMetric', 'ignore_index': 3}}}
    everywhere |= {f'{place}.ignore_index': 3 for place in (LABELED, VAL, TEST)}
    return {'model': model, **everywhere, **dict.fromkeys(places, value)}


def test_an_ignored_label_of_any_value_is_fine_where_all_have_it(check, data):
    change()(lambda mask: np.vstack([np.full_like(mask[:4], 3), mask[4:]]))(data)
    report = check(**ignoring(3))
    assert not report.problems
    assert pixels_of_classes(report.lists['labeled'], report.images['labeled']).sum() < 6 * 36 * 48


@pytest.mark.parametrize(
    ('place', 'named'),
    [
        (f'{LABELED}.ignore_index', 'the labeled dataset'),
        (f'{VAL}.ignore_index', 'the val dataset'),
        ('val_evaluator.metric.ignore_index', 'PeerMetric of val_evaluator'),
        ('model.peers.left.data_preprocessor.seg_pad_val', "seg_pad_val of the data_preprocessor of peer 'left'"),
        (f'{LABELED}.pipeline', "pad_val['seg'] of Pad of the labeled dataset"),
    ],
)
def test_an_ignored_label_that_differs_is_a_problem(check, place, named):
    pad = [*VAL_PIPELINE[:2], {'type': 'Pad', 'size': (64, 64)}, VAL_PIPELINE[2]]
    problems = check(**ignoring(pad if 'pipeline' in place else 255, place)).problems
    the_one(problems, "ignore_index is 3 in decode_head of peer 'left'", f'255 in {named}')


def of_16_bits(data):
    change()(lambda image: image.astype(np.uint16) * 257, 'images')(data)


def of_four_bands(data):
    for path in sorted((data / 'images').glob('*.png')):
        image = cv2.imread(str(path))
        cv2.imwrite(str(path.with_suffix('.tif')), np.dstack([image, image[..., :1]]))
        path.with_suffix('.tif').replace(path)


def upside_down(data):
    exif = Image.Exif()
    exif[274] = 3
    Image.open(data / 'images' / '000.png').save(data / 'images' / '000.png', exif=exif)


def empty_masks(data):
    change(3)(lambda mask: np.full_like(mask, 255))(data)
    change(4)(lambda mask: np.zeros_like(mask))(data)


def the_same_content(data):
    shutil.copy(data / 'images' / '001.png', data / 'images' / '017.png')
    shutil.copy(data / 'masks' / '001.png', data / 'masks' / '017.png')
    # Of other bytes, but the same pixels.
    Image.open(data / 'images' / '006.png').save(data / 'images' / '008.png', compress_level=0)
    (data / 'labeled.txt').write_text((data / 'labeled.txt').read_text() + '000\n')


def other_suffixes(data):
    shutil.copytree(data / 'images', data / 'pool')
    for number in range(16, 20):
        (data / 'pool' / f'{number:03d}.png').rename(data / 'pool' / f'{number:03d}.PNG')
    for number in range(6):
        (data / 'pool' / f'{number:03d}.png').unlink()


POOL = {f'{UNLABELED}.ann_file': '', f'{UNLABELED}.data_prefix.img_path': 'pool'}
PLAIN = [{'type': 'LoadImageFromFile', 'color_type': 'color_ignore_orientation'}, *VAL_PIPELINE[1:]]
WARNINGS = [
    (of_16_bits, {}, [('20 images have 16 bits a channel, but are loaded with 8', "color_type='unchanged'")]),
    (of_four_bands, {}, [('20 images have 4 channels, of which 3 are loaded',)]),
    (upside_down, {}, [('000.png has EXIF orientation 3', 'color_ignore_orientation', 'its mask is not')]),
    (upside_down, {f'{LABELED}.pipeline': PLAIN}, []),
    (empty_masks, {}, [('1 of 6 labeled masks are ignored altogether', '003.png'),
                       ('1 of 6 labeled masks hold one class only', '004.png')]),
    (the_same_content, {}, [('1 images of val are the same as images of labeled', '017.png = ', '001.png'),
                            ('1 images of unlabeled are the same as other images', '008.png = ', '006.png'),
                            ('1 images stand more than once in the labeled list', '000.png')]),
    (other_suffixes, POOL, [('4 images of', "do not end in '.png' and are not in the unlabeled list: 016.PNG, 017")]),
]  # fmt: skip


@pytest.mark.parametrize(('damage', 'settings', 'sentences'), WARNINGS)
def test_what_may_be_intended_is_warned_of(check, data, damage, settings, sentences):
    damage(data)
    report = check(**settings)
    assert not report.problems
    assert len(report.warnings) == len(sentences)
    for parts in sentences:
        the_one(report.warnings, *parts)


def test_masks_of_unlabeled_images_are_not_read(check, data):
    (data / 'masks' / '007.png').write_text('no image')
    assert not check(**{f'{UNLABELED}.data_prefix': {'img_path': 'images', 'seg_map_path': 'masks'}}).problems


def test_plain_training_and_joined_datasets_are_checked(data, mmseg_scope):
    part = shapes(data, 'labeled.txt', pipeline=VAL_PIPELINE)
    joined = {'type': 'ConcatDataset', 'datasets': [part, shapes(data, 'val.txt', pipeline=VAL_PIPELINE)]}
    config = Config({'train_dataloader': {'dataset': {'type': 'RepeatDataset', 'times': 2, 'dataset': joined}}})
    report = check_data(config, workers=2)
    assert not report.problems
    assert {name: len(images) for name, images in report.images.items()} == {'labeled': 10}


def test_images_that_are_no_files_are_refused(mmseg_scope):
    pipeline = [{'type': 'mmdmt.LoadSceneImage'}, {'type': 'mmdmt.LoadSceneAnnotations'}]
    labeled = {'type': 'mmdmt.DigitScenes', 'split': 'labeled', 'pipeline': pipeline}
    parts = {'labeled': labeled, 'unlabeled': {'type': 'mmdmt.DigitScenes', 'split': 'unlabeled'}}
    config = Config({'train_dataloader': {'dataset': {'type': 'mmdmt.MutualDataset', **parts}}})
    problems = check_data(config, workers=1).problems
    assert len(problems) == 2
    assert all('its images come from mmdmt.LoadSceneImage, and only files can be checked' in p for p in problems)
