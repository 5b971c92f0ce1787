"""Load images that are stored as arrays of numpy."""

import io
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio

from mmdmt.labels.pixels.nodata import blank_nodata
from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadNpyImage(LoadImageFromFile):
    """Load an image from an ``.npy`` file: what ``LoadImageFromFile`` is for pictures.

    The array is (H, W), or (H, W, bands), of whole or floating numbers, and stays what it is but for its dtype: values
    are neither scaled nor cut. ``mean`` and ``std`` of the data preprocessor are in their unit, with one number for
    each band. An exported peer has ``LoadImageFromNDArray`` in its place, and predicts arrays.

    Required keys: ``img_path``. Added keys: ``img`` (float32), ``img_shape``, ``ori_shape``.

    Args:
        backend_args (dict, optional): Of the file backend. Defaults to None.
        nodata (float | str, optional): What stands where there is no data, or ``'nan'``: such pixels, and those that
            are NaN or infinite in any band, become 0, and their labels are ignored. Defaults to None, data everywhere.

    Raises:
        ValueError: If a file holds something else.
    """

    def __init__(self, backend_args: dict[str, Any] | None = None, nodata: float | str | None = None) -> None:
        super().__init__(to_float32=True, color_type='unchanged', backend_args=backend_args)
        self.nodata = None if nodata is None else float(nodata)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load it."""
        path = results['img_path']
        data = fileio.get(path, backend_args=self.backend_args)
        try:
            image = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise ValueError(f'{path} holds no array of numpy ({error}): save it anew with np.save.') from error
        fits = isinstance(image, np.ndarray) and image.ndim in (2, 3) and image.dtype.kind in 'buif'
        if not fits:
            what = f'{image.dtype} of shape {image.shape}' if isinstance(image, np.ndarray) else 'several arrays'
            raise ValueError(
                f'{path} holds {what}: an image is one array of real numbers of shape (height, width), or (height, '
                'width, bands); save a volume as one file for each slice.'
            )
        results['img'] = np.ascontiguousarray(image, np.float32)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        if self.nodata is not None:
            blank_nodata(results, self.nodata)
        return results
