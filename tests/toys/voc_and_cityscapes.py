"""Small folders that look like the official data sets: their folders, file names and modes of files, odd sizes."""

from pathlib import Path

import numpy as np
from mmseg.datasets import PascalVOCDataset
from PIL import Image

from toys.tools import run_tool

VOC_SIZES = ((37, 50), (50, 33), (41, 50), (29, 46))
CITYSCAPES_SIZE = (24, 48)
KVASIR_SIZES = ((53, 62), (62, 53), (48, 70))


def picture(generator, size):
    return Image.fromarray(generator.integers(0, 256, (*size, 3)).astype(np.uint8))


def blobs(generator, size, classes):
    """A mask of a few rectangles with a rim that is ignored."""
    mask = np.zeros(size, np.uint8)
    for label in generator.choice(np.arange(1, classes), 3, replace=False):
        top, left = (int(generator.integers(0, side - 10)) for side in size)
        mask[top : top + 10, left : left + 10] = 255
        mask[top + 1 : top + 9, left + 1 : left + 9] = label
    return mask


def write_list(path, names):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{name}\n' for name in names))


def make_voc(root: Path, labeled: int = 4, unlabeled: int = 5, val: int = 2) -> Path:
    """VOC 2012 with SBD's masks, and lists of it: ``root/data/VOCdevkit`` and ``root/splits``. Returns ``root``.

    Masks are palette images, as VOC's own, or gray ones, as the converter's; the unlabeled images have none.
    """
    generator = np.random.default_rng(0)
    data = root / 'data' / 'VOCdevkit' / 'VOC2012'
    for folder in ('JPEGImages', 'SegmentationClassAug'):
        (data / folder).mkdir(parents=True)
    names = [f'2008_{number:06d}' for number in range(2, 2 + labeled + unlabeled + val)]
    for number, name in enumerate(names):
        size = VOC_SIZES[number % len(VOC_SIZES)]
        picture(generator, size).save(data / 'JPEGImages' / f'{name}.jpg')
        if labeled <= number < labeled + unlabeled:
            continue
        mask = Image.fromarray(blobs(generator, size, 21))
        if number % 2 == 0:
            mask.putpalette(  # makes a palette image of a gray one, with the same numbers
                [level for color in PascalVOCDataset.METAINFO['palette'] for level in color]
            )
        mask.save(data / 'SegmentationClassAug' / f'{name}.png')
    train, rest = names[:labeled], names[labeled:]
    lists = data / 'ImageSets' / 'Segmentation'
    write_list(lists / 'train.txt', train)
    write_list(lists / 'trainaug.txt', train + rest[:unlabeled])
    write_list(lists / 'val.txt', rest[unlabeled:])
    splits = root / 'splits' / 'voc12aug'
    for split in (0, 1):
        part = train if split == 0 else train[::-1]
        for fraction in ('1of106', '1of50', '1of20', '1of8'):
            write_list(splits / f'split{split}' / f'labeled_{fraction}.txt', part)
            write_list(splits / f'split{split}' / f'unlabeled_{fraction}.txt', rest[:unlabeled])
            write_list(splits / f'split{split}' / f'dms_left_{fraction}.txt', part[:-1])
            write_list(splits / f'split{split}' / f'dms_right_{fraction}.txt', part[1:])
    for known in ('classic/{}_92', 'classic/{}_366', 'unimatch/{}_1of16', 'unimatch/{}_1of8'):
        write_list(splits / f'{known.format("labeled")}.txt', train)
        write_list(splits / f'{known.format("unlabeled")}.txt', rest[:unlabeled])
    write_list(splits / 'sbd' / 'labeled.txt', train)
    write_list(splits / 'sbd' / 'unlabeled.txt', rest[:unlabeled])
    return root


def make_cityscapes(root: Path, labeled: int = 4, unlabeled: int = 5, val: int = 2) -> Path:
    """Cityscapes with masks of train ids, and its lists: ``root/data/cityscapes``, ``root/splits``. Returns ``root``.

    The unlabeled images have no masks.
    """
    generator = np.random.default_rng(1)
    data = root / 'data' / 'cityscapes'
    names = {'train': [], 'val': []}
    for number in range(labeled + unlabeled + val):
        part = 'train' if number < labeled + unlabeled else 'val'
        city = ('aachen', 'ulm')[number % 2] if part == 'train' else 'lindau'
        name = f'{city}/{city}_{number:06d}_000019'
        names[part].append(name)
        image = data / 'leftImg8bit' / part / f'{name}_leftImg8bit.png'
        image.parent.mkdir(parents=True, exist_ok=True)
        picture(generator, CITYSCAPES_SIZE).save(image)
        if labeled <= number < labeled + unlabeled:
            continue
        mask = data / 'gtFine' / part / f'{name}_gtFine_labelTrainIds.png'
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(blobs(generator, CITYSCAPES_SIZE, 19)).save(mask)
    for folder, fractions in (('split0', ('1of30', '1of8')), ('unimatch', ('1of16', '1of8'))):
        splits = root / 'splits' / 'cityscapes' / folder
        for fraction in fractions:
            write_list(splits / f'labeled_{fraction}.txt', names['train'][:labeled])
            write_list(splits / f'unlabeled_{fraction}.txt', names['train'][labeled:])
    return root


def make_sources(root: Path, **sizes: int) -> Path:
    """Cityscapes, and three images of GTA5 and of SYNTHIA with their converted masks. Returns ``root``."""
    make_cityscapes(root, **sizes)
    generator = np.random.default_rng(2)
    layouts = (
        ('gta/images', 'gta_masks', '{:05d}', '_labelTrainIds', 19),
        ('RAND_CITYSCAPES/RGB', 'synthia_masks', '{:07d}', '_labelTrainIds16', 16),
    )
    for images, masks, name, suffix, classes in layouts:
        (root / 'data' / images).mkdir(parents=True)
        (root / 'data' / masks).mkdir()
        for number, size in enumerate(((21, 37), (26, 33), (23, 40)), start=1):
            picture(generator, size).save(root / 'data' / images / f'{name.format(number)}.png')
            mask = Image.fromarray(blobs(generator, size, classes))
            mask.save(root / 'data' / masks / f'{name.format(number)}{suffix}.png')
    return root


def make_kvasir(root: Path) -> Path:
    """Kvasir-SEG with its official lists, and what the README of its configs says is to be run. Returns ``root``."""
    generator, data = np.random.default_rng(0), root / 'data' / 'kvasir-seg'
    names = [f'cju{number:02d}qkwl35piu0993l0dewei' for number in range(18)]
    for part in ('images', 'masks'):
        (data / part).mkdir(parents=True)
    for number, name in enumerate(names):
        size = KVASIR_SIZES[number % 3]
        mask = np.zeros((*size, 3), np.uint8)
        mask[16:32, 16:40] = 255
        picture(generator, size).save(data / 'images' / f'{name}.jpg')
        Image.fromarray(mask).save(data / 'masks' / f'{name}.jpg')
    write_list(data / 'train.txt', names[:16])
    write_list(data / 'val.txt', names[16:])
    convert = ('dataset_converters/kvasir_seg.py', 'data/kvasir-seg', 'data/kvasir-seg_masks', '--allow-partial')
    lists = ('--list', 'data/kvasir-seg/train.txt')
    split = ('make_splits.py', 'generic', 'kvasir-seg', 'data/kvasir-seg/images', 'splits', *lists)
    assert [run_tool(*arguments, cwd=root)[0] for arguments in (convert, split)] == [0, 0]
    return root
