"""Convert the labels of GTA5 into masks of the 19 classes of Cityscapes.

    python tools/dataset_converters/gta.py data/gta data/gta_masks

Reads labels/00001.png to labels/24966.png of the data set and writes OUT_DIR/00001_labelTrainIds.png and so on, of
train ids 0 to 18 and 255. Nothing is written into the data set. After an interruption, the same line goes on.
"""

from collections.abc import Sequence
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


def train_ids(path: Path) -> np.ndarray:
    """Read a label file of palette indices or gray levels as train ids, (H, W) uint8."""
    with Image.open(path) as image:
        if image.mode not in ('P', 'L'):
            raise ValueError(
                f'{path} is an image of mode {image.mode}, but labels of GTA5 have a palette of 8 bits: get the file '
                'anew, or convert colors with dataset_converters/color_masks.py.'
            )
        ids = np.asarray(image)
    if ids.max() > LAST_ID:
        raise ValueError(f'{path} holds label id {ids.max()}, but ids are 0..{LAST_ID}: get the file anew.')
    table = np.full(256, 255, np.uint8)
    table[list(TRAIN_IDS)] = list(TRAIN_IDS.values())
    return table[ids]


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    names, suffixes = [f'{number:05d}' for number in range(1, NUM_IMAGES + 1)], ('.png', '_labelTrainIds.png')
    convert_data_set(argv, __doc__, 'GTA5', 'labels', 'images', suffixes, names, train_ids)


if __name__ == '__main__':
    run(main)
