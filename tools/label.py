"""Write pseudo labels of a folder of images as PNG masks, with their confidence, for whatever trains on them.

    python tools/label.py work_dirs/mine/mine.py work_dirs/mine/iter_20000.pth photos photos_labeled --label-ratio 0.5
    python tools/label.py left.py left.pth photos photos_labeled --threshold 0.9

The first labels with the ensemble of a run's peers, or the one that --peer names; the second with an exported peer or
any other model of MMSegmentation. With --label-ratio, that share of each predicted class is kept, of all images
together; with --threshold, what is at least so probable; with neither, everything.

    OUT_DIR/labels/*.png        class ids as the model's data set stores them, 8-bit gray; 255, or the label that the
                                heads ignore, where the label is dropped
    OUT_DIR/confidence/*.png    16-bit gray, of every pixel: the value / 65535 is the probability of the predicted class
    OUT_DIR/calibrated/*.png    with --confidence, 8-bit gray: the value / 255 is the probability that it is right,
                                by one temperature that fits 50 validation images best
    OUT_DIR/agreement/*.png     with --confidence, 8-bit gray: the value / 255 is the share of the peers that agree
    OUT_DIR/overlays/*.jpg      with --draw: the labels in color over the image, to look at
    OUT_DIR/manifest.json       how they were made: thresholds, shares, versions

Masks lie on the pixels as they are stored in the files, whatever EXIF orientation these carry.
Images in folders get their labels in folders of the same names. Nothing is overwritten. Files that fail are named at
the end, with exit status 1; what is labeled stays, and --continue labels the rest.
"""

from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of, run


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path, help='of a run, or of a plain segmentor')
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('images', type=Path, help='folder of images of any size')
    parser.add_argument('out_dir', type=Path, help='new or empty')
    parser.add_argument('--peer', default='', help="a peer's name, or ensemble (default: what the config says)")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument('--label-ratio', type=float, help='share of each predicted class to keep, in (0, 1]')
    kept.add_argument('--threshold', type=float, help='least probability to keep, in [0, 1]')
    parser.add_argument('--draw', action='store_true', help='write overlays/*.jpg, too: labels in color over images')
    parser.add_argument('--confidence', action='store_true', help='write calibrated/*.png and agreement/*.png, too')
    parser.add_argument('--continue', dest='go_on', action='store_true', help='label what OUT_DIR lacks')
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: the GPU, if there is one)')
    parser.add_argument('--num-workers', type=int, default=2, help='processes that load images (default: %(default)s)')
    args = parser.parse_args(argv)
    from mmengine.device import get_device  # these take seconds, which a help does not need

    from mmdmt.apis import calibrate_model, init_peers, label_images
    from mmdmt.models.mutual_training import DynamicMutualTraining

    model = init_peers(args.config, args.checkpoint, args.device or get_device(), args.peer)
    by = args.peer or (model.predicted_by if isinstance(model, DynamicMutualTraining) else None)
    origin = {'config': str(args.config), 'checkpoint': str(args.checkpoint), 'peer': by}
    calibration = calibrate_model(model, num_workers=args.num_workers) if args.confidence else None
    kept_share = args.label_ratio, args.threshold
    manifest = label_images(
        model, args.images, args.out_dir, *kept_share, args.num_workers, origin, args.draw, calibration, args.go_on
    )
    print(f'{manifest["images"]} images in {args.out_dir}, labeled by {by or "the model"}')
    print(f'{"class":>20} {"pixels":>12} {"kept":>8} {"threshold":>10}')
    for name, facts in manifest['classes'].items():
        pixels, kept_pixels, threshold = (facts[key] for key in ('predicted_pixels', 'kept_pixels', 'threshold'))
        share = f'{kept_pixels / pixels:8.2%}' if pixels else f'{"none":>8}'
        print(f'{name:>20} {pixels:>12} {share} {"-" if threshold is None else f"{threshold:.6f}":>10}')
    for sentence in manifest['failed'].values():
        print(f'FAILED: {sentence}')
    if manifest['failed']:
        print(f'{len(manifest["failed"])} files have failed: mend or remove them, then go on with --continue.')
    return int(bool(manifest['failed']))


if __name__ == '__main__':
    run(main)
