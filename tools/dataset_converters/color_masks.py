"""Convert masks that show classes in colors, or in black and white, into masks of class ids.

    python tools/dataset_converters/color_masks.py data/mine/colored data/mine/masks --colors 000000 ff0000 00ff00
    python tools/dataset_converters/color_masks.py data/mine/colored data/mine/masks --colors 000000 ffffff

The first color is class 0, the second class 1, and so on: red, green and blue in hexadecimal digits. --ignored names
colors that become 255. Any other color stops the conversion of its file, with the file's name; with --nearest it is
taken for the nearest of those named, for masks that were scaled or saved as JPEG. Masks in folders stay in them. After
an interruption, the same line goes on.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mmdmt.command_line import run
from mmdmt.folders import list_images
from mmdmt.preparation.mask_conversion import conversion_parser, convert_masks

IGNORED = 255


def ids_of_colors(colors: np.ndarray, ids: np.ndarray, nearest: bool, path: Path) -> np.ndarray:
    """Read a mask, gray, in RGB or with a palette, as class ids, (H, W) uint8.

    Known are ``colors``, (colors, 3), and the ``ids`` that they become; another is the ``nearest`` one, or refused.
    """
    with Image.open(path) as image:
        if image.mode.startswith(('I', 'F')):
            raise ValueError(f'{path} is an image of mode {image.mode}: give masks of 8 bits a channel.')
        pixels = np.asarray(image.convert('RGB'))
    found, where = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    distance = np.abs(found[:, None].astype(int) - colors).sum(axis=2)
    strange = found[distance.min(axis=1) > 0]
    if len(strange) and not nearest:
        raise ValueError(
            f'{path} has {len(strange)} colors that are not named, first {bytes(strange[0].tolist()).hex()}: name '
            'them in --colors or --ignored, or give --nearest.'
        )
    return ids[distance.argmin(axis=1)][where].reshape(pixels.shape[:2])


def color(text: str) -> list[int]:
    """Read a color such as ff0000."""
    try:
        red, green, blue = bytes.fromhex(text.removeprefix('#'))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'a color must be like ff0000, got {text!r}') from error
    return [red, green, blue]


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = conversion_parser(__doc__, 'folder of the colored masks')
    parser.add_argument('--colors', type=color, nargs='+', required=True, help='of class 0, of class 1, ...')
    parser.add_argument('--ignored', type=color, nargs='+', default=[], help='colors that become 255')
    parser.add_argument('--nearest', action='store_true', help='take any other color for the nearest one named')
    args = parser.parse_args(argv)
    known = [*args.colors, *args.ignored]
    if len({tuple(one) for one in known}) < len(known):
        raise ValueError('A color is named twice: each stands for one class, or is ignored.')
    if len(args.colors) > IGNORED:
        raise ValueError(
            f'--colors names {len(args.colors)} classes, but a mask of 8 bits holds at most {IGNORED} beside the '
            f'ignored {IGNORED}: name fewer, or give several colors one class by --nearest.'
        )
    ids = np.array([*range(len(args.colors)), *[IGNORED] * len(args.ignored)], np.uint8)
    found, left_out = list_images(args.data_root)
    if left_out:
        print(f'WARNING: Left out of {args.data_root}: {left_out}.')
    labels = {path.relative_to(args.data_root).with_suffix('').as_posix(): path for path in found}
    if not labels:
        raise FileNotFoundError(f'{args.data_root} holds no image: give the folder of the colored masks.')
    convert = partial(ids_of_colors, np.array(known), ids, args.nearest)
    written = convert_masks(labels, args.data_root, args.out_dir, '.png', convert, args.nproc, args.allow_partial)
    print(f'{written} masks in {args.out_dir}')


if __name__ == '__main__':
    run(main)
