"""Convert the labels of a data set into masks of class ids: in parallel, resumable, never into the data set."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.progress import track

from mmdmt.atomic_write import atomic_write, room_to_write

#: From the path of a label file to an (H, W) uint8 mask of class ids, 255 where ignored; or from the path of an image
#: to an (H, W, 3) uint8 RGB image.
Convert = Callable[[Path], np.ndarray]
_SOFTWARE = 'mmdmt mask_conversion'


def labels_in(folder: Path, suffix: str, data_set: str) -> dict[str, Path]:
    """List the label files of a folder.

    Raises:
        FileNotFoundError: If the folder is missing, or holds no such file.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder} does not exist: give the folder of {data_set} that holds {folder.name}.')
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix == suffix and path.is_file()}
    if not found:
        raise FileNotFoundError(f'{folder} holds no *{suffix}: give the folder of {data_set}, unpacked.')
    return found


def check_complete(found: Collection[str], expected: Collection[str] | int, folder: Path) -> str | None:
    """Compare the files that there are with those of the whole data set."""
    number = expected if isinstance(expected, int) else len(expected)
    missing = [] if isinstance(expected, int) else sorted(set(expected) - set(found))
    if len(found) == number and not missing:
        return None
    first = f'; {len(missing)} are missing, first {missing[0]}' if missing else ''
    return f'{folder} holds {len(found)} files, but {number} are published{first}'


def convert_masks(
    labels: Mapping[str, Path],
    data_root: Path,
    out_dir: Path,
    suffix: str,
    convert: Convert,
    workers: int,
    what: str = 'masks',
) -> dict[str, str]:
    """Convert label files into PNG masks.

    Masks that exist are left as they are: each is written under another name and renamed when it is complete, so one
    that exists is whole, and a conversion that was stopped goes on where it was.

    Args:
        labels: Label files by the name of their mask.
        data_root: The data set, which nothing is written to.
        out_dir: Folder of the masks.
        suffix: How mask files end.
        convert: Makes the mask of a label file; a function that other processes can import.
        workers: Number of processes.
        what: What is written, for the message. Default: ``'masks'``.

    Raises:
        ValueError: If ``out_dir`` is in the data set, or holds files of the same names that were not written here.
    """
    if out_dir.resolve().is_relative_to(data_root.resolve()):
        raise ValueError(f'{out_dir} is in the data set {data_root}, which is not written to: give another folder.')
    out_dir.mkdir(parents=True, exist_ok=True)
    targets = {name: out_dir / f'{name}{suffix}' for name in labels}
    todo = [name for name in labels if not targets[name].exists()]
    for name in sorted(labels.keys() - set(todo)):
        _check_origin(targets[name], what)
    print(f'{len(labels) - len(todo)} of {len(labels)} {what} are in {out_dir}; {len(todo)} to convert')
    failures = {}
    with ProcessPoolExecutor(workers) as pool:
        tasks = ((name, pool.submit(_write, convert, labels[name], targets[name])) for name in todo)
        done = _as_completed(tasks, 4 * workers)
        for name, failure in track(done, description=out_dir.name, total=len(todo)):
            if failure:
                failures[name] = failure
    return failures


def _as_completed(tasks: Iterator[tuple[str, 'Future[str]']], ahead: int) -> Iterator[tuple[str, str]]:
    """Go through results as they come, with no more than so many tasks waiting."""
    running: dict[Future[str], str] = {}
    while True:
        running.update({future: name for name, future in islice(tasks, ahead - len(running))})
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future.result()


def _origin() -> PngInfo:
    """Mark a file as written by a converter, so that a photo of the same name is not taken for a mask made before."""
    origin = PngInfo()
    origin.add_text('Software', _SOFTWARE)
    return origin


def _check_origin(path: Path, what: str) -> None:
    try:
        with Image.open(path) as image:
            known = image.info.get('Software') == _SOFTWARE
    except (OSError, ValueError, SyntaxError):
        known = False
    if not known:
        raise ValueError(
            f'{path} exists, and is not one of the {what} that this command writes: give a new or empty folder, or one '
            'that it has begun to fill.'
        )


def _write(convert: Convert, label: Path, target: Path) -> str:
    """Convert one file; return what is wrong with it, or nothing."""
    try:
        mask = convert(label)
        with room_to_write(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as unfinished:
            Image.fromarray(mask).save(unfinished, format='PNG', pnginfo=_origin())
    except (ValueError, OSError) as error:
        return str(error)
    return ''
