"""Rank images by how much the peers of a run disagree on them, and choose which to label next.

    python tools/rank.py work_dirs/mine/mine.py work_dirs/mine/iter_20000.pth photos --out ranked --take 30
    python tools/rank.py work_dirs/mine/mine.py work_dirs/mine/iter_20000.pth --out ranked --take 30

The first ranks the images of a folder, or those that a text file names as the lists of the run do; the second the run's
unlabeled images by the labels that its peers gave them when its last phase began, without predicting them again.

    OUT/rank.csv          an image a line, the most doubtful first; the columns of classes are 1 - the IoU of the peers
    OUT/rank.png          the first 24: what the peers agree on in color, the rest in stripes
    OUT/label_next.txt    with --take: images of high scores that differ from each other
    OUT/labeled.txt, OUT/unlabeled.txt    with --take, for the next run, if they are among the run's unlabeled images

expected_error is the share of wrong pixels that follows from how often the peers are wrong on validation images.
"""

from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of, run


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path, help='of a run')
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('images', type=Path, nargs='?', help="folder or list (default: the run's unlabeled images)")
    parser.add_argument('--out', type=Path, required=True, help='folder, new or empty')
    parser.add_argument('--take', type=int, metavar='N', help='choose N images to label next')
    parser.add_argument(
        '--classes', nargs='+', default=[], metavar='CLASS', help='rank by disagreement on these classes'
    )
    parser.add_argument('--validate', type=int, default=50, metavar='N', help='images for expected_error (default: 50)')
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: the GPU, if there is one)')
    parser.add_argument('--num-workers', type=int, default=2, help='processes that load images (default: %(default)s)')
    args = parser.parse_args(argv)
    from mmengine.device import get_device  # these take seconds, which a help does not need

    from mmdmt.apis.rank import rank_run

    print(rank_run(**{**vars(args), 'device': args.device or get_device()}))


if __name__ == '__main__':
    run(main)
