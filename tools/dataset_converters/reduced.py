"""Write a small copy of the images of a list and of their masks, for trainings on a CPU.

    python tools/dataset_converters/reduced.py VOCdevkit/VOC2012 data/voc_animals_160 --names splits/voc_animals/*.txt \
      --images 'JPEGImages/{}.jpg' --masks 'SegmentationClassAug/{}.png' --shorter 160 --classes 0,8,10,12,13,17,15

Writes OUT_DIR/images/NAME.png, averaged over areas, and OUT_DIR/masks/NAME.png, of the nearest pixel. In --images and
--masks {} is a name of the lists, and * anything that leaves one file; --mask-root is a folder of masks elsewhere.
--classes are the ids of the data set that get the ids 0, 1, 2, ...; all others are ignored (255). Nothing is written
into the data set. After an interruption, the same line goes on.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmdmt.command_line import run
from mmdmt.preparation.mask_conversion import conversion_parser, convert_masks

IGNORED = 255


def reduced(
    shorter: int | None, square: int | None, classes: tuple[int, ...] | None, is_mask: bool, path: Path
) -> np.ndarray:
    """Read and scale an image, (H, W, 3) uint8 RGB, or a mask, (H, W) uint8, whose ``classes`` become 0, 1, 2, ..."""
    with Image.open(path) as image:
        pixels = np.array(image if is_mask else image.convert('RGB'))
    if is_mask and classes is not None:
        table = np.full(256, IGNORED, np.uint8)
        table[list(classes)] = range(len(classes))
        pixels = table[pixels]
    height, width = pixels.shape[:2]
    factor = (shorter or 0) / min(height, width)
    size = (square, square) if square else (round(width * factor), round(height * factor))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST if is_mask else cv2.INTER_AREA)


def files_of(root: Path, pattern: str, names: Sequence[str]) -> dict[str, Path]:
    """Find the one file of each name by a pattern with ``{}`` for the name and ``*`` for anything."""
    found = {}
    for name in names:
        paths = list(root.glob(pattern.replace('{}', name)))
        if len(paths) != 1:
            raise FileNotFoundError(
                f'{root / pattern.replace("{}", name)} is {len(paths)} files, but must be 1: give the folder of the '
                'data set and a pattern that fits it.'
            )
        found[name] = paths[0]
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = conversion_parser(__doc__, 'folder of the data set')
    parser.add_argument('--names', nargs='+', type=Path, required=True, help='lists of names, one a line')
    parser.add_argument('--images', required=True, help="pattern of the images, such as 'JPEGImages/{}.jpg'")
    parser.add_argument('--masks', required=True, help="pattern of the masks, such as 'SegmentationClassAug/{}.png'")
    sizes = parser.add_mutually_exclusive_group(required=True)
    sizes.add_argument('--shorter', type=int, help='length of the shorter side in pixels')
    sizes.add_argument('--square', type=int, help='side of the square that images are squeezed into')
    parser.add_argument('--mask-root', type=Path, help='folder that --masks is in (default: that of the data set)')
    parser.add_argument('--classes', help='ids that become 0, 1, 2, ...; others are ignored (default: as they are)')
    args = parser.parse_args(argv)
    classes = tuple(int(one) for one in args.classes.split(',')) if args.classes else None
    names = sorted({name for path in args.names for name in path.read_text().split()})
    for pattern, part, root in (
        (args.images, 'images', args.data_root),
        (args.masks, 'masks', args.mask_root or args.data_root),
    ):
        files = files_of(root, pattern, names)
        convert = partial(reduced, args.shorter, args.square, classes, part == 'masks')
        out_dir = args.out_dir / part
        convert_masks(files, args.data_root, out_dir, '.png', convert, args.nproc, args.allow_partial, part)
    print(f'{len(names)} images and masks are in {args.out_dir}')


if __name__ == '__main__':
    run(main)
