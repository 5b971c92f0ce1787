"""Check the data of a config before training: read every image and mask, and list all that is wrong.

    python tools/check_data.py configs/custom/dmt_custom.py
    python tools/check_data.py configs/custom/dmt_custom.py --draw sheet.png

Each kind of fault is one line: how many files have it, three of them, and the remedy. Problems, which end with exit
status 1: folders, lists and files that are missing or cannot be read, images in two lists, masks of another size than
their image, of another kind than 8 bits, or with ids that no class has, images of 16 bits that loading turns nearly
black, classes in no labeled mask, classes and ignored labels that differ between datasets, heads and metrics, and what
training would refuse of the model and the datasets, such as an argument that they do not take. Warnings:
images that EXIF turns and their masks not, images of which loading drops bits or channels, masks with one class or
none, images that are the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it takes seconds, which a help does not need
    from mmdmt.preparation.data_check import DataReport

DRAWN = {'labeled': 9, 'val': 3}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', type=Path)
    parser.add_argument('--draw', type=Path, metavar='SHEET', help='draw images with their masks, such as sheet.png')
    parser.add_argument('--workers', type=int, default=4, help='images read at the same time (default: %(default)s)')
    args = parser.parse_args(argv)
    if not args.config.is_file():
        parser.error(f'{args.config} does not exist: give the config to train with.')
    if args.draw and args.draw.exists():
        parser.error(f'{args.draw} exists and is not overwritten: remove it, or give another --draw.')
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmdmt.preparation.data_check import check_data

    config = Config.fromfile(args.config)
    init_default_scope(config.get('default_scope', 'mmseg'))
    report = check_data(config, args.workers)
    if args.draw:
        draw(report, args.draw)
    print(table(report))
    for kind in ('warnings', 'problems'):
        found = getattr(report, kind)
        print(f'\n{len(found) or "No"} {kind if len(found) != 1 else kind[:-1]}{":" if found else "."}')
        for sentence in found:
            print(f'- {sentence}')
    return 1 if report.problems else 0


def table(report: DataReport) -> str:
    """Lay out the lists, and the share of each class with the number of images that it is in."""
    from mmdmt.preparation.data_check import images_of_classes, pixels_of_classes

    masked = [name for name, images in report.images.items() if any(image.counts is not None for image in images)]
    lines = [f'{"list":>20} {"images":>8} {"masks":>8}']
    for name, images in report.images.items():
        lines.append(f'{name:>20} {len(images):>8} {sum(image.counts is not None for image in images):>8}')
    if not masked:
        return '\n'.join(lines)
    lines += ['', f'{"class":>20}' + ''.join(f' {name + ", pixels":>20} {"images":>8}' for name in masked)]
    columns = []
    for name in masked:
        pixels = pixels_of_classes(report.lists[name], report.images[name])
        shares = pixels / max(1, pixels.sum())
        columns.append(list(zip(shares, images_of_classes(report.lists[name], report.images[name]), strict=True)))
    for row, label in enumerate(report.lists[masked[0]].classes):
        cells = (column[row] if row < len(column) else (0.0, 0) for column in columns)
        if row == report.lists[masked[0]].ignore_index:
            lines.append(f'{label:>20}' + ' ignored'.rjust(21))
            continue
        lines.append(f'{label:>20}' + ''.join(f' {share:>20.3%} {images:>8}' for share, images in cells))
    return '\n'.join(lines)


def draw(report: DataReport, path: Path) -> None:
    """Draw some images of each list with masks, those without problems, evenly over the list."""
    from mmdmt.visualization import AnnotatedImage, draw_data

    sheet = []
    for name, number in DRAWN.items():
        checked = report.images.get(name, [])
        sound = [
            source
            for source, image in zip(report.lists[name].sources if checked else [], checked, strict=True)
            if image.is_sound and image.counts is not None
        ]
        for place in sorted({round(step) for step in np.linspace(0, len(sound) - 1, number)} if sound else ()):
            source, ignored = sound[place], report.lists[name].ignore_index
            mask = source.load_mask()
            mask[mask == ignored] = 255  # gray, be it a class or not
            sheet.append(AnnotatedImage(f'{name}: {Path(source.path).name}', source.load_image(), mask))
    if not sheet:
        print(f'{path} is not drawn: there is no image with a sound mask.')
        return
    images = report.lists['labeled' if 'labeled' in report.lists else 'val']
    draw_data(path, sheet, images.classes, images.palette)
    print(f'{path} shows {len(sheet)} images with their masks.')


if __name__ == '__main__':
    sys.exit(main())
