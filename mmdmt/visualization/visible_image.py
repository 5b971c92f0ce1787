"""Make images of any bands and bits visible."""

import numpy as np
from numpy.typing import NDArray

#: Of the values of an image: what is below the first is drawn black, what is above the second white.
PERCENTILES = (1.0, 99.0)


def visible(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return what is drawn of an image, (H, W) or (H, W, bands) of any real dtype, as (H, W, 3) uint8.

    Color images of 8 bits stay as they are. Of others the first three bands are drawn as blue, green and red, or the
    first as gray, with their values stretched over the range.
    """
    bands = image if image.ndim == 3 else image[..., np.newaxis]
    if bands.dtype == np.uint8 and bands.shape[2] == 3:
        return np.asarray(bands, np.uint8)
    shown = bands[..., :3] if bands.shape[2] >= 3 else bands[..., :1].repeat(3, axis=2)
    values = np.nan_to_num(shown.astype(np.float64), posinf=0.0, neginf=0.0)
    if bands.dtype != np.uint8:
        low, high = np.percentile(values, PERCENTILES)
        values = (values - low) * (255 / max(high - low, 1e-38))
    drawn: NDArray[np.uint8] = values.clip(0, 255).astype(np.uint8)
    return drawn
