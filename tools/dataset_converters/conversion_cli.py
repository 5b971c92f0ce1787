"""The command line that the converters of this folder have in common."""

import argparse
import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mmdmt.preparation.mask_conversion import Convert, check_complete, convert_masks, labels_in


def run(
    argv: Sequence[str] | None,
    *,
    description: str,
    data_set: str,
    labels: str,
    label_suffix: str,
    images: str,
    expected: Collection[str] | int,
    suffix: str,
    convert: Convert,
) -> None:
    """Convert a data set as a command line says.

    Args:
        argv: The arguments; None for those of the process.
        description: Of the command.
        data_set: Its name.
        labels: Folder of the label files in it.
        label_suffix: How they end.
        images: Folder of the images, of the same names and sizes.
        expected: Stems of the published label files, or only their number.
        suffix: How mask files end.
        convert: Makes the mask of a label file.

    Raises:
        FileNotFoundError: If the data set is not there.
        ValueError: If it is not whole, or a file could not be converted, unless that is allowed.
    """
    args = arguments_of(command_line(description, data_set, f'{images} and {labels}', 'masks'), argv)
    found = labels_in(args.data_root / labels, label_suffix, data_set)
    refuse_unless_allowed(check_complete(found, expected, args.data_root / labels), args.allow_partial)
    sized = partial(of_the_size_of_the_image, convert, args.data_root / images)
    failures = convert_masks(found, args.data_root, args.out_dir, suffix, sized, args.nproc)
    refuse_failures(failures, len(found), 'labels', args.allow_partial)
    print(f'{len(found) - len(failures)} masks of {data_set} in {args.out_dir}')


def command_line(description: str, data_set: str, contents: str, written: str) -> argparse.ArgumentParser:
    """Describe the arguments that every converter takes.

    Args:
        description: Of the command.
        data_set: Name of the data set.
        contents: What its folder holds.
        written: What the command writes.

    Returns:
        A parser of ``data_root``, ``out_dir``, ``--allow-partial`` and ``--nproc``.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data_root', type=Path, help=f'folder of {data_set}, with {contents}')
    parser.add_argument('out_dir', type=Path, help=f'where to write the {written}, outside the data set')
    parser.add_argument('--allow-partial', action='store_true', help='convert what there is, though not the whole set')
    parser.add_argument(
        '--nproc', type=int, default=min(8, os.cpu_count() or 1), help='processes (default: %(default)s)'
    )
    return parser


def arguments_of(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Read a command line, and check what all converters take.

    Args:
        parser: What `command_line` returned.
        argv: The arguments; None for those of the process.

    Returns:
        The arguments.

    Raises:
        ValueError: If there shall be no process.
    """
    args = parser.parse_args(argv)
    if args.nproc < 1:
        raise ValueError(f'--nproc must be 1 or more, got {args.nproc}.')
    return args


def of_the_size_of_the_image(convert: Convert, images: Path, label: Path) -> np.ndarray:
    """Convert a label file, and check that its mask has the size of the image."""
    mask = convert(label)
    path = images / label.name
    if not path.is_file():
        raise ValueError(f'{path}, the image of {label}, does not exist: put it back, or take the label away.')
    with Image.open(path) as image:
        if image.size != mask.shape[::-1]:
            raise ValueError(
                f'{label} has {mask.shape[1]}x{mask.shape[0]} pixels, but its image {image.size[0]}x{image.size[1]}: '
                'get both anew, or leave them out.'
            )
    return mask


def refuse_failures(failures: Mapping[str, str], number: int, what: str, allow_partial: bool) -> None:
    """Refuse a conversion in which files failed, or warn of it if that is allowed.

    Args:
        failures: What is wrong with each file that could not be converted.
        number: How many files there are.
        what: What they are.
        allow_partial: Whether it is allowed.

    Raises:
        ValueError: If it is not, naming the first failure.
    """
    if failures:
        first = next(iter(sorted(failures.items())))[1]
        refuse_unless_allowed(
            f'{len(failures)} of {number} {what} could not be converted, first: {first}', allow_partial
        )


def refuse_unless_allowed(sentence: str | None, allow_partial: bool) -> None:
    """Refuse a data set with which something is wrong, or warn of it if that is allowed.

    Args:
        sentence: What is wrong; None if nothing is.
        allow_partial: Whether it is allowed.

    Raises:
        ValueError: If it is not.
    """
    if sentence and allow_partial:
        print(f'Warning: {sentence}')
    elif sentence:
        raise ValueError(f'{sentence.rstrip(".")}. Mend it, or convert what there is with --allow-partial.')
