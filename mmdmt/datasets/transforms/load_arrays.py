"""Load images of any bands and numbers: arrays of numpy and TIFF files."""

import io
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from numpy.typing import NDArray

from mmdmt.labels.pixels.nodata import blank_nodata
from mmdmt.registry import TRANSFORMS


class _LoadArray(LoadImageFromFile):
    """Load float32 images, (H, W) or (H, W, bands), whose values are neither scaled nor cut."""

    def __init__(self, backend_args: dict[str, Any] | None = None, nodata: float | str | None = None) -> None:
        super().__init__(to_float32=True, color_type='unchanged', backend_args=backend_args)
        self.nodata = None if nodata is None else float(nodata)

    def _read(self, path: str, data: io.BytesIO) -> NDArray[Any]:
        raise NotImplementedError

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load it."""
        path = results['img_path']
        image = self._read(path, io.BytesIO(fileio.get(path, backend_args=self.backend_args)))
        results['img'] = np.ascontiguousarray(image, np.float32)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        if self.nodata is not None:
            blank_nodata(results, self.nodata)
        return results


@TRANSFORMS.register_module()
class LoadNpyImage(_LoadArray):
    """Load an image from an ``.npy`` file: what ``LoadImageFromFile`` is for pictures.

    The array is (H, W) or (H, W, bands); ``mean`` and ``std`` of the data preprocessor are in its unit, one for each
    band. An exported peer has ``LoadImageFromNDArray`` in its place.

    Required keys: ``img_path``. Added keys: ``img`` (float32), ``img_shape``, ``ori_shape``.

    Args:
        backend_args (dict, optional): Of the file backend. Defaults to None.
        nodata (float | str, optional): What stands where there is no data, or ``'nan'``: such pixels, and those that
            are NaN or infinite in any band, become 0, and their labels are ignored. Defaults to None, data everywhere.

    Raises:
        ValueError: If a file holds something else.
    """

    def _read(self, path: str, data: io.BytesIO) -> NDArray[Any]:
        try:
            image = np.load(data, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise ValueError(f'{path} holds no array of numpy ({error}): save it anew with np.save.') from error
        if isinstance(image, np.ndarray) and image.ndim in (2, 3) and image.dtype.kind in 'buif':
            return image
        what = f'{image.dtype} of shape {image.shape}' if isinstance(image, np.ndarray) else 'several arrays'
        raise ValueError(
            f'{path} holds {what}: an image is one array of real numbers of shape (height, width), or (height, '
            'width, bands); save a volume as one file for each slice.'
        )


@TRANSFORMS.register_module()
class LoadTiffImage(_LoadArray):
    """Load the first page of a TIFF file: what ``LoadImageFromFile`` is for pictures.

    Bands come in the order of the file, stored pixel by pixel or one after the other, which OpenCV reads wrongly
    and mmcv's ``imdecode_backend='tifffile'`` as (bands, H, W). Keys and arguments are those of :class:`LoadNpyImage`.

    Raises:
        ImportError: If tifffile is not installed (``mmdmt[bands]``).
        ValueError: If a file holds something else.
    """

    def _read(self, path: str, data: io.BytesIO) -> NDArray[Any]:
        import tifffile

        try:
            with tifffile.TiffFile(data) as file:
                page: Any = file.pages[0]
                axes, image = page.axes, page.asarray()
        except Exception as error:  # whatever tifffile and its codecs raise
            raise ValueError(f'{path} must be a TIFF that tifffile reads ({error}): write it anew.') from error
        if axes not in ('YX', 'YXS', 'SYX'):
            raise ValueError(
                f'{path} has the axes {axes}: an image is one page of (height, width), or of that and bands; write a '
                'volume as one file for each slice.'
            )
        return np.moveaxis(image, 0, -1) if axes == 'SYX' else image
