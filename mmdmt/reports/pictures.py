"""Read the pictures of a run, and make them small enough for a page."""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

WIDEST = 1600
TALLEST = 6000  # WebP ends at 16383
MOST = 6  # of a phase


@dataclass(frozen=True)
class Picture:
    """A picture of a run, for a page.

    Args:
        name: Of its file.
        title: What it is of, such as ``phase 3``.
        source: The picture as a ``data:`` address.
        width: In pixels.
        height: In pixels.
    """

    name: str
    title: str
    source: str
    width: int
    height: int


def find_pictures(work_dir: Path) -> dict[str, list[Picture]]:
    """Read the pictures that a run has written, the end and the latest phase first, the predictions last.

    Args:
        work_dir (Path): Of the run, with ``pictures/end/*.png``, ``pictures/phase_<t>/*.png`` and the
            toolbox's own ``<timestamp>/vis_data/vis_image/*.png``.

    Returns:
        dict[str, list[Picture]]: The first few of every phase, by ``'Phase <t>'``; those of the toolbox's hook by
        ``'Predictions'``. What cannot be read, being written perhaps, is left out.
    """
    folders = {}
    for folder in work_dir.glob('pictures/phase_*'):
        if found := re.fullmatch(r'phase_(\d+)', folder.name):
            folders[int(found[1])] = folder
    groups = {f'Phase {index}': sorted(folders[index].glob('*.png')) for index in sorted(folders, reverse=True)}
    groups = {'End of training': sorted(work_dir.glob('pictures/end/*.png')), **groups}
    # PictureHook gives its sheets to the backends, too.
    others = (path for path in work_dir.glob('*/vis_data/vis_image/*.png') if not path.name.startswith('picture_'))
    drawn = sorted(others, key=lambda path: path.stat().st_mtime)
    groups['Predictions'] = drawn[-MOST:]
    pictures = {
        title: [picture for path in paths[:MOST] if (picture := _read(path, title))] for title, paths in groups.items()
    }
    return {title: found for title, found in pictures.items() if found}


def _read(path: Path, title: str) -> Picture | None:
    try:
        with Image.open(path) as opened:
            image = opened.convert('RGB')
        factor = min(1.0, WIDEST / image.width, TALLEST / image.height)
        if factor < 1:
            size = [max(1, round(side * factor)) for side in image.size]
            image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        # Sheets of scenes are smaller without loss, those of photographs with.
        content = min(_webp(image, lossless=True), _webp(image, quality=90), key=len)
    except Exception:  # whatever a decoder raises: one odd file must not keep the report from being made
        return None
    source = f'data:image/webp;base64,{base64.b64encode(content).decode()}'
    return Picture(path.stem, title, source, image.width, image.height)


def _webp(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, 'WEBP', **options)
    return buffer.getvalue()
