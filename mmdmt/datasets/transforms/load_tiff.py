"""Load images of many bands from TIFF files, however they lie in them."""

import io
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio

from mmdmt.labels.pixels.nodata import blank_nodata
from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadTiffImage(LoadImageFromFile):
    """Load the first page of a TIFF file: what ``LoadImageFromFile`` is for pictures.

    Bands come in the order of the file, whether it holds them pixel by pixel (``planarconfig='contig'``) or one after
    the other (``'separate'``), which OpenCV reads wrongly and mmcv's ``imdecode_backend='tifffile'`` as (bands, H, W).
    Values stay what they are but for their dtype. An exported peer has ``LoadImageFromNDArray`` in its place, and
    predicts arrays.

    Required keys: ``img_path``. Added keys: ``img`` (float32, (H, W) or (H, W, bands)), ``img_shape``, ``ori_shape``.

    Args:
        backend_args (dict, optional): Of the file backend. Defaults to None.
        nodata (float | str, optional): What stands where there is no data, or ``'nan'``: such pixels, and those that
            are NaN or infinite in any band, become 0, and their labels are ignored. Defaults to None, data everywhere.

    Raises:
        ImportError: If tifffile is not installed.
        ValueError: If a file is not such an image.
    """

    def __init__(self, backend_args: dict[str, Any] | None = None, nodata: float | str | None = None) -> None:
        super().__init__(to_float32=True, color_type='unchanged', backend_args=backend_args)
        self.nodata = None if nodata is None else float(nodata)
        try:
            import tifffile
        except ImportError as error:
            raise ImportError('LoadTiffImage reads files with tifffile: run `pip install "mmdmt[bands]"`.') from error
        self._open = tifffile.TiffFile

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load it."""
        path = results['img_path']
        data = fileio.get(path, backend_args=self.backend_args)
        try:
            with self._open(io.BytesIO(data)) as file:
                page: Any = file.pages[0]
                axes, image = page.axes, page.asarray()
        except Exception as error:  # whatever tifffile and its codecs raise
            raise ValueError(f'{path} must be a TIFF that tifffile reads ({error}): write it anew.') from error
        if axes == 'SYX':
            image = np.moveaxis(image, 0, -1)
        elif axes not in ('YX', 'YXS'):
            raise ValueError(
                f'{path} has the axes {axes}: an image is one page of (height, width), or of that and bands; write a '
                'volume as one file for each slice.'
            )
        results['img'] = np.ascontiguousarray(image, np.float32)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        if self.nodata is not None:
            blank_nodata(results, self.nodata)
        return results
