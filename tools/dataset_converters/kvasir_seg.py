"""Convert the masks of Kvasir-SEG, which are JPEG files, into masks of class ids.

    python tools/dataset_converters/kvasir_seg.py data/kvasir-seg data/kvasir-seg_masks

Reads the 1000 files of masks/ and writes OUT_DIR/*.png of 0, background, and 1, polyp: gray levels of 128 and more,
since compression blurs black and white. Nothing is written into the data set. After an interruption, the same line goes
on.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mmdmt.command_line import run
from mmdmt.preparation.mask_conversion import convert_data_set

NUM_IMAGES = 1000
THRESHOLD = 128
# A mask has levels between black and white along edges only; a photograph has them everywhere.
MAX_SHARE_BETWEEN = 0.2


def polyp(path: Path) -> np.ndarray:
    """Read a mask of black and white, (H, W) uint8; refuse images of other bits and of many gray levels."""
    with Image.open(path) as image:
        if image.mode not in ('L', 'RGB'):
            raise ValueError(
                f'{path} is an image of mode {image.mode}, but masks of Kvasir-SEG have 8 bits, gray or RGB: give the '
                'folder of Kvasir-SEG.'
            )
        levels = np.asarray(image.convert('L'))
    between = float(((levels > 64) & (levels < 192)).mean())
    if between > MAX_SHARE_BETWEEN:
        raise ValueError(
            f'{path} has {between:.0%} of its pixels between black and white, where masks have few: put the files of '
            'the data set into masks/ again.'
        )
    return (levels >= THRESHOLD).astype(np.uint8)


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    convert_data_set(argv, __doc__, 'Kvasir-SEG', 'masks', 'images', ('.jpg', '.png'), NUM_IMAGES, polyp)


if __name__ == '__main__':
    run(main)
