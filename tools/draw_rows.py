"""Draw what the ensembles of several runs predict on validation images: masks alone, whose photographs stay away.

    python tools/draw_rows.py rows.png 'labels alone=work_dirs/labels-alone' recipe=work_dirs/recipe --images 4

Each run gives its config and its last checkpoint. All validate on the same images, spread evenly over the set.
"""

from pathlib import Path

import numpy as np

from mmdmt.command_line import parser_of


def draw_rows(out: Path, runs: dict[str, Path], number: int) -> None:
    """Draw a row of masks for the truth and for each run."""
    from mmdmt.apis import init_peers
    from mmdmt.apis.peer_labels import evenly, labeled_images
    from mmdmt.visualization.sheet import colored, legend_patches, panel_size, sheet

    rows, truths, names = [], [], []
    for name, work_dir in runs.items():
        config, checkpoint = next(work_dir.glob('*.py')), max(work_dir.glob('iter_*.pth'), key=_iteration)
        images = labeled_images(init_peers(config, checkpoint))
        chosen = evenly(len(images.names), number)
        views = list(images.views(chosen))
        names, truths = [images.names[one] for one in chosen], [view.truth for view in views]
        rows.append((name, [view.probability.argmax(axis=0) for view in views]))
    panels = []
    for title, masks in [('truth', truths), *rows]:
        pictures = (colored(mask, images.palette, panel_size(mask.shape)) for mask in masks)
        shown = [f'{title}\n{name}' if title == 'truth' else title for name in names]
        panels.append(list(zip(shown, pictures, strict=True)))
    unknown = any((mask.astype(np.uint8) >= len(images.classes)).any() for mask in truths)
    sheet(out, panels, legend_patches(images.classes, images.palette, 'ignored' if unknown else None))


def _iteration(checkpoint: Path) -> int:
    return int(checkpoint.stem.removeprefix('iter_'))


def main() -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('runs', nargs='+', metavar='NAME=WORK_DIR')
    parser.add_argument('--images', type=int, default=4, help='(default: %(default)s)')
    args = parser.parse_args()
    runs = dict(one.partition('=')[::2] for one in args.runs)
    draw_rows(args.out, {name: Path(folder) for name, folder in runs.items()}, args.images)


if __name__ == '__main__':
    main()
