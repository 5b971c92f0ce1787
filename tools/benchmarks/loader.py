"""Loading a sample: labeled and pseudo-labeled, against MMSegmentation's own dataset on the same image."""

import tempfile
from functools import partial
from pathlib import Path

import cv2
import networks
import numpy as np
from labeling import VOC_SIZE, smooth_maps
from measure import Rows, interleaved, ratios
from mmengine.registry import DATASETS, init_default_scope

from mmdmt.datasets.sampler import Draw
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.labels.pixels.codec import encode

CLASSES = 21
CROP = (321, 321)


def sample_time(repeats: int, size: tuple[int, int] = VOC_SIZE, images: int = 10) -> Rows:
    """Load, decode, transform and pack a labeled and a pseudo-labeled image, and a labeled one by MMSegmentation."""
    init_default_scope('mmseg')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, size, images)
        dataset = DATASETS.build(_config(root))
        bank = _bank(root / 'bank', size, images)
        numbers = range(images)
        draws = {
            'labeled': [Draw('left', number, number, None) for number in numbers],
            'pseudo': [Draw('left', number, number, str(bank)) for number in numbers],
        }
        functions = {name: partial(_load, dataset, those) for name, those in draws.items()}
        times = interleaved({**functions, 'mmseg': partial(_load, dataset.labeled, numbers)}, repeats)
    return {f'sample_{name}_vs_mmseg': ratios(times, name, 'mmseg') for name in draws}


def _load(dataset, draws) -> None:
    for draw in draws:
        dataset[draw]


def _write(root: Path, size: tuple[int, int], images: int) -> None:
    """Write JPEG images of blurred noise and, as PNG, masks of smooth maps."""
    label, _ = smooth_maps(*size, classes=CLASSES)
    for name in ('images', 'masks'):
        (root / name).mkdir()
    for number, item in enumerate(networks.noise_images(2 * images, *size)):
        cv2.imwrite(str(root / 'images' / f'{number:03}.jpg'), item['inputs'].permute(1, 2, 0).numpy())
        cv2.imwrite(str(root / 'masks' / f'{number:03}.png'), np.roll(label, 7 * number, axis=1))
    names = [f'{number:03}\n' for number in range(2 * images)]
    (root / 'labeled.txt').write_text(''.join(names[:images]))
    (root / 'unlabeled.txt').write_text(''.join(names[images:]))


def _config(root: Path) -> dict:
    part = {
        'type': 'BaseSegDataset',
        'data_root': str(root),
        'metainfo': {'classes': [str(number) for number in range(CLASSES)], 'palette': [[0] * 3] * CLASSES},
    }
    pipeline = [
        {'type': 'LoadImageFromFile'},
        {'type': 'LoadAnnotations'},
        {'type': 'mmdmt.RandomScale', 'min_factor': 0.5, 'max_factor': 1.5},
        {'type': 'RandomCrop', 'crop_size': CROP},
        {'type': 'RandomFlip', 'prob': 0.5},
        {'type': 'PackSegInputs'},
    ]
    prefix = {'img_path': 'images', 'seg_map_path': 'masks'}
    return {
        'type': 'mmdmt.MutualDataset',
        'labeled': {**part, 'ann_file': 'labeled.txt', 'data_prefix': prefix, 'pipeline': pipeline},
        'unlabeled': {**part, 'ann_file': 'unlabeled.txt', 'data_prefix': {'img_path': 'images'}},
    }


def _bank(folder: Path, size: tuple[int, int], images: int) -> Path:
    """Write a bank of the same maps as the masks."""
    label, levels = smooth_maps(*size, classes=CLASSES)
    with BankWriter(folder) as writer:
        for number in range(images):
            turn = partial(np.roll, shift=7 * number, axis=1)
            writer.append(number, encode(turn(label), turn(levels)))
    pixels = (images * label.size,) * CLASSES
    Manifest('bench', 1, 'left', '', images, '', 0.5, (0.5,) * CLASSES, pixels, pixels, 1).write(folder)
    return folder
