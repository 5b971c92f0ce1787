"""Convert the labels of SYNTHIA-RAND-CITYSCAPES into masks of 16 of the classes of Cityscapes.

    python tools/dataset_converters/synthia.py data/RAND_CITYSCAPES data/synthia_masks

Reads GT/LABELS/0000000.png to 0009399.png of the data set and writes OUT_DIR/0000000_labelTrainIds16.png and so on, of
ids 0 to 15 and 255: the train ids of Cityscapes without terrain, truck and train, counted without gaps. Nothing is
written into the data set. After an interruption, the same line goes on.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmdmt.command_line import run
from mmdmt.preparation.mask_conversion import convert_data_set

NUM_IMAGES = 9400
# Class of SYNTHIA: id of ours, in the order road, sidewalk, building, wall, fence, pole, traffic light, traffic sign,
# vegetation, sky, person, rider, car, bus, motorcycle, bicycle. All others are ignored: void 0, parking slot 13, road
# work 14, terrain 16, truck 18, train 20, lane marking 22.
IDS = {3: 0, 4: 1, 2: 2, 21: 3, 5: 4, 7: 5, 15: 6, 9: 7, 6: 8, 1: 9, 10: 10, 17: 11, 8: 12, 19: 13, 12: 14, 11: 15}
LAST_ID = 22


def ids(path: Path) -> np.ndarray:
    """Read a label file, (H, W) uint8; refuse what does not have 16 bits and three channels, and other classes."""
    # Pillow reads such files, but as 8 bits.
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f'{path} cannot be read as an image: get the file anew.')
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    if pixels.dtype != np.uint16 or channels != 3:
        raise ValueError(
            f'{path} has {pixels.itemsize * 8} bits and {channels} channels, but labels of SYNTHIA have 16 bits and 3: '
            'give the folder that holds GT/LABELS (GT/COLOR has colors).'
        )
    classes = pixels[..., 2]  # the first channel of the file; OpenCV turns their order round
    if classes.max() > LAST_ID:
        raise ValueError(f'{path} holds class {classes.max()}, but classes are 0..{LAST_ID}: get the file anew.')
    table = np.full(LAST_ID + 1, 255, np.uint8)
    table[list(IDS)] = list(IDS.values())
    return table[classes]


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    names, suffixes = [f'{number:07d}' for number in range(NUM_IMAGES)], ('.png', '_labelTrainIds16.png')
    convert_data_set(argv, __doc__, 'SYNTHIA-RAND-CITYSCAPES', 'GT/LABELS', 'RGB', suffixes, names, ids)


if __name__ == '__main__':
    run(main)
