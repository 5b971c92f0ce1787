"""Walk folders of images, links included, each once."""

import os
from collections.abc import Iterator
from pathlib import Path

#: How the files end that are taken for images in a folder, in lower case.
IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.pgm', '.png', '.ppm', '.tif', '.tiff', '.webp')


def walk_once(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """List the files of a folder and of the folders in it.

    Links to folders elsewhere are followed, each folder once. A link into the folder itself is not: what it leads to
    would be listed twice, or without end.

    Args:
        folder (Path): The folder.

    Yields:
        tuple[str, list[str]]: A folder and the names of the files in it, both in order.
    """
    root, seen = os.path.realpath(folder), set()
    for place, folders, files in os.walk(folder, followlinks=True):
        for name in sorted(folders):
            path = os.path.join(place, name)  # noqa: PTH118  os.walk gives strings
            real = os.path.realpath(path)
            linked = os.path.islink(path)  # noqa: PTH114
            if real in seen or (linked and os.path.commonpath([root, real]) in (root, real)):
                folders.remove(name)
            seen.add(real)
        folders.sort()
        yield place, sorted(files)
