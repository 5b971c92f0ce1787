"""Convert the labels of GTA5 into masks of the 19 classes of Cityscapes.

    python tools/dataset_converters/gta.py data/gta data/gta_masks

Reads labels/00001.png to labels/24966.png of the data set and writes OUT_DIR/00001_labelTrainIds.png and so on, of
train ids 0 to 18 and 255. Nothing is written into the data set. After an interruption, the same line goes on.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from mmdmt.command_line import run
from mmdmt.preparation.mask_conversion import convert_data_set

NUM_IMAGES = 24966
# Label id: train id, as cityscapesscripts.helpers.labels has them. All others are ignored; 34 is the license plate.
TRAIN_IDS = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13, 27: 14,
             28: 15, 31: 16, 32: 17, 33: 18}  # fmt: skip
LAST_ID = 34
# Colors of the train ids, for labels that were saved as RGB; a group of poles cannot be told
# from a pole then, nor a license plate from a car.
COLORS = ((128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153), (153, 153, 153),
           (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152), (70, 130, 180), (220, 20, 60), (255, 0, 0),
           (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 80, 100), (0, 0, 230), (119, 11, 32))  # fmt: skip
IGNORED_COLORS = ((0, 0, 0), (20, 20, 20), (111, 74, 0), (81, 0, 81), (250, 170, 160), (230, 150, 140),
                   (180, 165, 180), (150, 100, 100), (150, 120, 90), (0, 0, 90), (0, 0, 110))  # fmt: skip
UNKNOWN = 254


def train_ids(path: Path) -> np.ndarray:
    """Read a label file of palette indices, gray levels or colors as train ids, (H, W) uint8."""
    with Image.open(path) as image:
        mode, pixels = image.mode, np.asarray(image)
    if mode in ('P', 'L'):
        if pixels.max() > LAST_ID:
            raise ValueError(f'{path} holds label id {pixels.max()}, but ids are 0..{LAST_ID}: get the file anew.')
        table = np.full(256, 255, np.uint8)
        table[list(TRAIN_IDS)] = list(TRAIN_IDS.values())
        return table[pixels]
    if mode in ('RGB', 'RGBA'):
        return ids_of_colors(path, pixels[..., :3])
    raise ValueError(
        f'{path} is an image of mode {mode}, but labels of GTA5 have 8 bits, as palette or RGB: get the file anew.'
    )


def ids_of_colors(path: Path, pixels: np.ndarray) -> np.ndarray:
    """Look colors up."""
    mask = color_table()[code(np.moveaxis(pixels.astype(np.int32), -1, 0))]
    if (mask == UNKNOWN).any():
        color = tuple(map(int, pixels[mask == UNKNOWN][0]))
        raise ValueError(f'{path} holds color {color}, which no class of Cityscapes has: get the file anew.')
    return mask


@cache
def color_table() -> np.ndarray:
    """Give each of the 16.7 million colors a place in a table."""
    table = np.full(1 << 24, UNKNOWN, np.uint8)
    table[[code(color) for color in IGNORED_COLORS]] = 255
    table[[code(color) for color in COLORS]] = range(len(COLORS))
    return table


def code(color: Iterable) -> int | np.ndarray:
    """Make one number of a color."""
    red, green, blue = color
    return (red << 16) + (green << 8) + blue


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    names, suffixes = [f'{number:05d}' for number in range(1, NUM_IMAGES + 1)], ('.png', '_labelTrainIds.png')
    convert_data_set(argv, __doc__, 'GTA5', 'labels', 'images', suffixes, names, train_ids)


if __name__ == '__main__':
    run(main)
