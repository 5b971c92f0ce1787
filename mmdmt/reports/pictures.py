"""Read the pictures of a run, and make them small enough for a page."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

WIDEST = 1600
TALLEST = 6000  # WebP ends at 16383
MOST = 6  # of a phase


class Picture(NamedTuple):
    """A picture for a page: the name of its file, its content as a ``data:`` address, its size in pixels."""

    name: str
    source: str
    width: int
    height: int


def find_pictures(work_dir: Path) -> dict[str, list[Picture]]:
    """Read pictures of a run: the first of its end and of each phase, the latest first; the last of the toolbox's hook.

    What cannot be read, being written perhaps, is left out.
    """
    numbers = (folder.name.removeprefix('phase_') for folder in work_dir.glob('pictures/phase_*'))
    phases = sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)
    groups = {'End of training': sorted(work_dir.glob('pictures/end/*.png'))[:MOST]}
    groups |= {f'Phase {index}': sorted(work_dir.glob(f'pictures/phase_{index}/*.png'))[:MOST] for index in phases}
    # PictureHook gives its sheets to the backends, too.
    others = (path for path in work_dir.glob('*/vis_data/vis_image/*.png') if not path.name.startswith('picture_'))
    groups['Predictions'] = sorted(others, key=lambda path: path.stat().st_mtime)[-MOST:]
    pictures = {title: [picture for path in paths for picture in _read(path)] for title, paths in groups.items()}
    return {title: found for title, found in pictures.items() if found}


def _read(path: Path) -> Iterator[Picture]:
    try:
        with Image.open(path) as opened:
            image = opened.convert('RGB')
        factor = min(1.0, WIDEST / image.width, TALLEST / image.height)
        if factor < 1:
            width, height = (max(1, round(side * factor)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        # Sheets of scenes are smaller without loss, those of photographs with.
        content = min(_webp(image, lossless=True), _webp(image, quality=90), key=len)
    except Exception:  # whatever a decoder raises: one odd file must not keep the report from being made
        return
    source = f'data:image/webp;base64,{base64.b64encode(content).decode()}'
    yield Picture(path.stem, source, image.width, image.height)


def _webp(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, 'WEBP', **options)
    return buffer.getvalue()
