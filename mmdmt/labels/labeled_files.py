"""Whether the image files are still those that were labeled."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from mmdmt.atomic_write import atomic_write
from mmdmt.integrity import seal, unseal
from mmdmt.labels.manifest import ROOM

NAME = 'images.json'
SAMPLED = 64
"""Files whose content is compared, evenly spread; of all others size and time are."""


def note_files(folder: Path, paths: Sequence[str]) -> None:
    """Write down what the image files are like that a phase's labels belong to."""
    with atomic_write(folder / NAME, ROOM) as unfinished:
        unfinished.write_text(seal(_look(paths)))


def check_files(folder: Path, paths: Sequence[str]) -> str:
    """Compare the image files with those that were labeled.

    A status of every file and the content of 64 are read: for 200 000 files under a second, while labeling takes hours.

    Raises:
        ValueError: If the files are others, or the note is damaged.
    """
    note = folder / NAME
    if not note.is_file():
        return ''
    try:
        noted = unseal(note.read_text(errors='replace'))
    except ValueError as error:
        raise ValueError(f'{note} is damaged ({error}): start the run again in a new work_dir.') from error
    found = _look(paths)
    if any(noted.get(key) != found[key] for key in ('sizes', 'content')):
        raise ValueError(
            f'The unlabeled images are not those that the pseudo labels in {folder} were made of: their files have '
            'other sizes or contents. Put the images back, or start the run again in a new work_dir.'
        )
    if noted.get('times') != found['times']:
        return (
            'Files of unlabeled images have been written since their pseudo labels were made. Their sizes are as '
            f'before, and so is the content of the {min(SAMPLED, len(paths))} that were compared.'
        )
    return ''


def _look(paths: Sequence[str]) -> dict[str, str]:
    sizes, times, content = (hashlib.sha256() for _ in range(3))
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116  many, and a Path takes longer than the look
            size, time = status.st_size, status.st_mtime_ns
        except (OSError, ValueError):
            size = time = -1
        sizes.update(f'{size},'.encode())
        times.update(f'{time},'.encode())
    for number in sorted({len(paths) * step // SAMPLED for step in range(SAMPLED)} if paths else ()):
        if Path(paths[number]).is_file():
            content.update(hashlib.sha256(Path(paths[number]).read_bytes()).digest())
    return {'sizes': sizes.hexdigest(), 'times': times.hexdigest(), 'content': content.hexdigest()}
