"""Read the header of every image and mask of a dataset once: size, bands and bits are those of no single file."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine.dataset import BaseDataset

from mmdmt.rules.file_rules import mask_mode
from mmdmt.rules.findings import Finding
from mmdmt.rules.image_content import ImageContent, read_content
from mmdmt.rules.source_files import is_local


def header_of(path: str) -> ImageContent | None:
    """Return what a local file says it holds, read anew when it changes; None if it cannot be read as an image."""
    try:
        status = os.stat(path)  # noqa: PTH116  many, and a Path takes longer
    except OSError:
        return None  # told where files are looked for
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2**20)
def _read(path: str, *_: int) -> ImageContent | None:
    try:
        return read_content(Path(path))
    except Exception:  # whatever a damaged header makes Pillow stumble over; told where it is loaded
        return None


def mask_findings(datasets: Sequence[BaseDataset]) -> Iterator[Finding]:
    """Find masks of another kind than one channel of 8 bits, among those that are loaded from local files."""
    for dataset in datasets:
        loader = _first(dataset, LoadAnnotations)
        for number in range(len(dataset) if _reads_files(loader) else 0):
            mask = dataset.get_data_info(number).get('seg_map_path')
            if mask and (fault := mask_mode(mask, header_of(mask))) is not None:
                yield fault


def band_findings(datasets: Sequence[BaseDataset], bands: int | None) -> Iterator[Finding]:
    """Find images of other bands than are wanted, among those that are loaded from local files."""
    counts: dict[str, int] = {}
    for dataset in datasets:
        loader = _first(dataset, LoadImageFromFile)
        for number in range(len(dataset) if loader is not None and is_local(loader.backend_args) else 0):
            image = dataset.get_data_info(number).get('img_path')
            if image and (found := header_of(image)) is not None:
                counts[image] = _loaded_bands(found, loader)
    known = Counter(number for number in counts.values() if number)
    wanted = bands or (known.most_common(1)[0][0] if known else 0)
    for path, number in counts.items():
        if number and number != wanted:
            says = f'{number} bands, but {wanted} are wanted (mean and std of data_preprocessor, or most of the images)'
            yield Finding('image', path, f'has {says}', 'convert it, or take it off the list')


def bands_of(peers: Iterable[Any]) -> int | None:
    """Return for how many bands the images of peers are normalized; None if that is not one number above 1."""
    means = [getattr(getattr(peer, 'data_preprocessor', None), 'mean', None) for peer in peers]
    numbers = {0 if mean is None else int(mean.numel()) for mean in means}
    return max(numbers) if len(numbers) == 1 and max(numbers) > 1 else None


def _first(dataset: BaseDataset, kind: type) -> Any:
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return next((step for step in transforms if isinstance(step, kind)), None)


def _loaded_bands(content: ImageContent, loader: Any) -> int:
    """Return with how many bands an image is loaded; 0 if it is not known."""
    kinds = {'color': 3, 'color_ignore_orientation': 3, 'grayscale': 1}
    name = type(loader).__name__
    if name == 'LoadImageFromFile' and loader.color_type in kinds:
        return kinds[loader.color_type]
    if name not in ('LoadImageFromFile', 'LoadNpyImage', 'LoadTiffImage') or content.mode in ('P', 'LA', 'PA', 'CMYK'):
        return 0
    return content.channels if content.channels > 1 else 0  # one band is taken for all


def _reads_files(loader: Any) -> bool:
    """Whether a transform loads masks from local files as MMSegmentation does."""
    if loader is None or not is_local(loader.backend_args):
        return False
    from mmseg.datasets.transforms import LoadAnnotations as LoadMask  # classification needs no MMSegmentation

    return getattr(type(loader), '_load_seg_map', None) is LoadMask._load_seg_map
