"""List the images of folders, links included, each once."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

IMAGE_SUFFIXES = (
    *('.bmp', '.dib', '.gif', '.jfif', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png', '.pnm', '.ppm'),
    *('.tif', '.tiff', '.webp'),
)
"""How the files end that are taken for images in a folder, in lower case: those that OpenCV or Pillow opens."""
_COMPANION = re.compile(r'(.+)[_-](?:mask|masks|label|labels|gt|seg|pred|predict|prediction|overlay)$', re.IGNORECASE)


class Listing(NamedTuple):
    """The images of a folder, sorted; what was left out and why, in one line, ``''`` if nothing was."""

    images: list[Path]
    left_out: str


def list_images(
    folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES, mask_suffix: str = '', any_case: bool = True
) -> Listing:
    """List the images of a folder and those in it; hidden files and folders are passed over.

    Masks and predictions that lie beside their images (``scan_mask.png`` beside ``scan.png``) are left out.

    Args:
        folder (Path): The folder.
        suffixes (Sequence[str]): How the names of images end.
        mask_suffix (str): How masks that may lie beside images end, such as ``'_mask.png'``. Defaults to ``''``.
        any_case (bool): Whether upper case is as good, which it is not for a list of a dataset. Defaults to True.
    """
    names = [Path(place) / file for place, files in walk_once(folder) for file in files]
    wanted = tuple(suffixes)
    found = [path for path in names if path.name.endswith(wanted) or (any_case and path.name.lower().endswith(wanted))]
    taken = set(found)
    beside = beside_images(found, wanted, mask_suffix)
    others = Counter(path.suffix.lower() or path.name for path in names if path not in taken)
    reasons = []
    if others:
        told = ', '.join(f'{suffix} {number}' for suffix, number in sorted(others.items()))
        reasons.append(f'{others.total()} of {len(names)} files have other suffixes: {told}')
    if beside:
        reasons.append(f'{len(beside)} are masks or predictions beside their images, such as {beside[0].name}')
    return Listing(sorted(taken - set(beside)), '; '.join(reasons))


def beside_images(paths: Sequence[Path], suffixes: tuple[str, ...], mask_suffix: str = '') -> list[Path]:
    """Find among images their masks, which may end in ``mask_suffix``, and what was made of them, by their names.

    Example:
        >>> beside_images([Path('a.png'), Path('a_predict.png'), Path('b_mask.png')], ('.png',))
        [PosixPath('a_predict.png')]
    """
    stems, found = {path.parent / _stem(path.name, suffixes) for path in paths}, []
    for path in paths:
        match = _COMPANION.match(_stem(path.name, suffixes))
        bases = [match[1]] if match else []
        if mask_suffix and mask_suffix not in suffixes and path.name.endswith(mask_suffix):
            bases.append(path.name.removesuffix(mask_suffix))
        if any(path.parent / base in stems for base in bases):
            found.append(path)
    return found


def _stem(name: str, suffixes: tuple[str, ...]) -> str:
    longest = max((suffix for suffix in suffixes if name.lower().endswith(suffix.lower())), key=len, default='')
    return name[: len(name) - len(longest)]


def walk_once(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield a folder, and each in it, with the names of its files, both in order; none that are hidden.

    Links to folders elsewhere are followed, each folder once; links into the folder itself are not.
    """
    root, seen = os.path.realpath(folder), set()
    for place, folders, files in os.walk(folder, followlinks=True):
        for name in sorted(folders):
            path = os.path.join(place, name)  # noqa: PTH118  os.walk gives strings
            real = os.path.realpath(path)
            linked = os.path.islink(path)  # noqa: PTH114
            if name.startswith('.') or real in seen or (linked and os.path.commonpath([root, real]) in (root, real)):
                folders.remove(name)
            seen.add(real)
        folders.sort()
        yield place, sorted(file for file in files if not file.startswith('.'))
