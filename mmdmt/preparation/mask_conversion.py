"""Convert the labels of a data set into masks of class ids: in parallel, resumable, never into the data set."""

import argparse
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.progress import track

from mmdmt.atomic_write import atomic_write, room_to_write
from mmdmt.command_line import parser_of

#: From the path of a label file to an (H, W) uint8 mask of class ids, 255 where ignored; or from the path of an image
#: to an (H, W, 3) uint8 RGB image. Other processes must be able to import it.
Convert = Callable[[Path], np.ndarray]
_SOFTWARE = 'mmdmt mask_conversion'


def conversion_parser(doc: str | None, data_root: str) -> argparse.ArgumentParser:
    """Return the parser of what all converters take; ``data_root`` is the help of that argument."""
    parser = parser_of(doc)
    parser.add_argument('data_root', type=Path, help=data_root)
    parser.add_argument('out_dir', type=Path, help='where to write, outside the data set')
    parser.add_argument('--allow-partial', action='store_true', help='convert what there is, though not the whole set')
    most = min(8, os.cpu_count() or 1)
    parser.add_argument('--nproc', type=_processes, default=most, help='processes (default: %(default)s)')
    return parser


def _processes(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f'--nproc {text}: give 1 or more')
    return int(text)


def convert_data_set(
    argv: Sequence[str] | None,
    doc: str | None,
    data_set: str,
    labels: str,
    images: str,
    suffixes: tuple[str, str],
    expected: Collection[str] | int,
    convert: Convert,
) -> None:
    """Convert a data set as a command line says, or refuse one that is not whole.

    Args:
        argv: The arguments; None for those of the process.
        doc: The help of the command.
        data_set: Its name.
        labels: Folder of the label files in it.
        images: Folder of the images, of the same names and sizes.
        suffixes: How label files and masks end.
        expected: Stems of the published label files, or their number.
        convert: Makes the mask of a label file.
    """
    args = conversion_parser(doc, f'folder of {data_set}, with {images} and {labels}').parse_args(argv)
    found = labels_in(args.data_root / labels, suffixes[0], data_set, expected, args.allow_partial)
    sized = partial(of_the_size_of_the_image, convert, args.data_root / images)
    written = convert_masks(found, args.data_root, args.out_dir, suffixes[1], sized, args.nproc, args.allow_partial)
    print(f'{written} masks of {data_set} in {args.out_dir}')


def labels_in(
    folder: Path, suffix: str, data_set: str, expected: Collection[str] | int, allow_partial: bool
) -> dict[str, Path]:
    """List the label files of a folder by their stems; refuse it if there are none, or unless allowed not all."""
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder} does not exist: give the folder of {data_set} that holds {folder.name}.')
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix == suffix and path.is_file()}
    if not found:
        raise FileNotFoundError(f'{folder} holds no *{suffix}: give the folder of {data_set}, unpacked.')
    number, missing = (
        (expected, []) if isinstance(expected, int) else (len(expected), sorted(set(expected) - set(found)))
    )
    if len(found) != number or missing:
        first = f'; {len(missing)} are missing, first {missing[0]}' if missing else ''
        refuse(f'{folder} holds {len(found)} files, but {number} are published{first}', allow_partial)
    return found


def of_the_size_of_the_image(convert: Convert, images: Path, label: Path) -> np.ndarray:
    """Convert a label file, and check that its mask has the size of the image of its name."""
    mask, path = convert(label), images / label.name
    if not path.is_file():
        raise ValueError(f'{path}, the image of {label}, does not exist: put it back, or take the label away.')
    with Image.open(path) as image:
        if image.size != mask.shape[::-1]:
            raise ValueError(
                f'{label} has {mask.shape[1]}x{mask.shape[0]} pixels, but its image {image.size[0]}x{image.size[1]}: '
                'get both anew, or leave them out.'
            )
    return mask


def refuse(sentence: str, allow_partial: bool) -> None:
    """Refuse a data set with which something is wrong, or warn of it if that is allowed."""
    if not allow_partial:
        raise ValueError(f'{sentence.rstrip(".")}. Mend it, or convert what there is with --allow-partial.')
    print(f'Warning: {sentence}')


def convert_masks(
    labels: Mapping[str, Path],
    data_root: Path,
    out_dir: Path,
    suffix: str,
    convert: Convert,
    workers: int,
    allow_partial: bool = False,
    what: str = 'masks',
) -> int:
    """Convert label files into PNG masks; return how many there are.

    Masks that exist are whole and left as they are, so a conversion that was stopped goes on where it was.

    Args:
        labels: Label files by the name of their mask.
        data_root: The data set, which nothing is written to.
        out_dir: Folder of the masks.
        suffix: How mask files end.
        convert: Makes the mask of a label file.
        workers: Number of processes.
        allow_partial: Whether files that cannot be converted are warned of, rather than refused. Default: False.
        what: What is written, for messages. Default: ``'masks'``.

    Raises:
        ValueError: If ``out_dir`` is in the data set, or holds files of the same names that were not written here, or,
            when all others are converted, if files could not be.
    """
    if out_dir.resolve().is_relative_to(data_root.resolve()):
        raise ValueError(f'{out_dir} is in the data set {data_root}, which is not written to: give another folder.')
    out_dir.mkdir(parents=True, exist_ok=True)
    targets = {name: out_dir / f'{name}{suffix}' for name in labels}
    todo = [name for name in labels if not targets[name].exists()]
    for name in sorted(labels.keys() - set(todo)):
        if not _is_ours(targets[name]):
            raise ValueError(
                f'{targets[name]} exists, and is not one of the {what} that this command writes: give a new or empty '
                'folder, or one that it has begun to fill.'
            )
    print(f'{len(labels) - len(todo)} of {len(labels)} {what} are in {out_dir}; {len(todo)} to convert')
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(partial(_write, convert), [labels[name] for name in todo], [targets[name] for name in todo])
        failures = [one for one in track(done, description=out_dir.name, total=len(todo)) if one]
    if failures:
        refuse(f'{len(failures)} of {len(labels)} {what} could not be converted, first: {failures[0]}', allow_partial)
    return len(labels) - len(failures)


def _is_ours(path: Path) -> bool:
    """Whether a converter has written a file, rather than a photo of the same name."""
    try:
        with Image.open(path) as image:
            return image.info.get('Software') == _SOFTWARE
    except (OSError, ValueError, SyntaxError):
        return False


def _write(convert: Convert, label: Path, target: Path) -> str:
    """Convert one file; return what is wrong with it, or nothing."""
    origin = PngInfo()
    origin.add_text('Software', _SOFTWARE)
    try:
        mask = convert(label)
        with room_to_write(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as unfinished:
            Image.fromarray(mask).save(unfinished, format='PNG', pnginfo=origin)
    except (ValueError, OSError) as error:
        return str(error)
    return ''
