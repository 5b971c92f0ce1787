"""Find labeled images whose masks are likely to be wrong: those that both peers of a run contradict alike.

Peers excuse a mask that they have learned. So train them on parts of the labels first, by the commands printed:

    python -m mmdmt label-errors mine.py --folds 2 --out folds
    python -m mmdmt label-errors mine.py folds/fold_0/iter_4000.pth folds/fold_1/iter_4000.pth --out errors

Each mask is then judged by peers that have never seen it. Masks that have just come back need no new training:

    python -m mmdmt label-errors mine.py work_dirs/mine/iter_4000.pth --images label_next.txt --out errors

    OUT/errors.csv     a labeled image a line, the worst first: 1 - the mean Dice coefficient of mask and peers
    OUT/regions.csv    connected regions of one class in the mask that the peers give to another, with size and box
    OUT/errors.png     the first 12: the mask, and beside it what the peers agree on; the rest in stripes

Nothing is changed in the masks.
"""

from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of, run


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path, help='of a run')
    parser.add_argument('checkpoints', type=Path, nargs='*', help='of one run, or one of each fold')
    parser.add_argument('--out', type=Path, required=True, help='folder, new or empty')
    parser.add_argument(
        '--folds', type=int, metavar='N', help='write the lists of N folds, and print how to train them'
    )
    parser.add_argument('--images', type=Path, help='list of images with masks (default: the labeled ones of the run)')
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: the GPU, if there is one)')
    parser.add_argument('--num-workers', type=int, default=2, help='processes that load images (default: %(default)s)')
    args = parser.parse_args(argv)
    if bool(args.folds) == bool(args.checkpoints):
        parser.error('give --folds before training, and the checkpoints after it')
    from mmengine.device import get_device  # these take seconds, which a help does not need

    from mmdmt.apis.label_errors import find_label_errors, plan_folds

    if args.folds:
        print('\n'.join(plan_folds(args.config, args.folds, args.out)))
        return
    device = args.device or get_device()
    print(find_label_errors(args.config, args.checkpoints, args.out, args.images, device, args.num_workers))


if __name__ == '__main__':
    run(main)
