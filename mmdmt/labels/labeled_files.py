"""Check that the image files are still those that were labeled."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from mmdmt.atomic_write import atomic_write
from mmdmt.integrity import seal, unseal
from mmdmt.labels.manifest import ROOM

NAME = 'images.json'
SAMPLED = 64
"""Files whose content is compared, evenly spread; of all others the size is."""


def note_files(folder: Path, paths: Sequence[str]) -> None:
    """Write down sizes and contents of the image files that a phase's labels belong to."""
    with atomic_write(folder / NAME, ROOM) as unfinished:
        unfinished.write_text(seal(_look(paths)))


def check_files(folder: Path, paths: Sequence[str]) -> None:
    """Compare the image files with those that were labeled, if they were noted: under a second for 200 000 files.

    Raises:
        ValueError: If the files are others, or the note is damaged.
    """
    note = folder / NAME
    if not note.is_file():
        return
    try:
        noted = unseal(note.read_text(errors='replace'))
    except ValueError as error:
        raise ValueError(f'{note} is damaged ({error}): start the run again in a new work_dir.') from error
    if noted != _look(paths):
        raise ValueError(
            f'The unlabeled images are not those that the pseudo labels in {folder} were made of: their files have '
            'other sizes or contents. Put the images back, or start the run again in a new work_dir.'
        )


def _look(paths: Sequence[str]) -> dict[str, str]:
    sizes, content = hashlib.sha256(), hashlib.sha256()
    for path in paths:
        try:
            size = os.stat(path).st_size  # noqa: PTH116  many, and a Path takes longer than the look
        except (OSError, ValueError):
            size = -1
        sizes.update(f'{size},'.encode())
    for number in sorted({len(paths) * step // SAMPLED for step in range(SAMPLED)} if paths else ()):
        if Path(paths[number]).is_file():
            content.update(hashlib.sha256(Path(paths[number]).read_bytes()).digest())
    return {'sizes': sizes.hexdigest(), 'content': content.hexdigest()}
