"""Measure how well two folds find faults in masks that the peers of the other fold have been trained on.

    python tools/benchmarks/faulty_folds.py CONFIG LABELED UNLABELED --out faulty
    python -m mmdmt label_errors faulty/faulty.py --folds 2 --out faulty/folds    # and train as it says
    python tools/benchmarks/faulty_folds.py CONFIG LABELED UNLABELED --out faulty --judge CHECKPOINT_0 CHECKPOINT_1

The first writes the masks of the images of the list LABELED, a tenth of them with faults as `ranking.py` makes them up,
and a config that trains on them. The last prints the average precision of finding them, beside cleanlab's score.
"""

import csv
from pathlib import Path

import cv2
import numpy as np
from ranking import cleanlab_score, make_faults, precisions, told

from mmdmt.apis import init_peers
from mmdmt.apis.inference import read_config
from mmdmt.apis.peer_labels import labeled_images
from mmdmt.command_line import parser_of
from mmdmt.method.contradiction import contradiction
from mmdmt.rules.joined_datasets import plain_datasets


def write_faults(config: Path, listed: Path, unlabeled: Path, out: Path, seed: int) -> None:
    """Write masks, which of them are faulty, and a config."""
    settings = read_config(config)
    part = next(plain_datasets(settings.train_dataloader.dataset.labeled))
    folder, suffix = Path(part.get('data_root', ''), part.data_prefix.seg_map_path), part.seg_map_suffix
    names = listed.read_text().split()
    masks = [cv2.imread(str(folder / f'{name}{suffix}'), cv2.IMREAD_UNCHANGED) for name in names]
    (out / 'masks').mkdir(parents=True)
    faults = {number: (kind, mask) for number, kind, mask in make_faults(masks, len(part.metainfo.classes), seed)}
    for number, name in enumerate(names):
        cv2.imwrite(str(out / 'masks' / f'{name}{suffix}'), faults.get(number, ('', masks[number]))[1])
    with (out / 'faults.csv').open('w', newline='') as file:
        csv.writer(file).writerows([names[number], kind] for number, (kind, _) in sorted(faults.items()))
    labeled = {
        'data_prefix': {'seg_map_path': str((out / 'masks').absolute())},
        'ann_file': str(listed.absolute()),
    }
    dataset = {'lists': None, 'labeled': labeled, 'unlabeled': {'ann_file': str(unlabeled.absolute())}}
    lines = (f'_base_ = {str(config.absolute())!r}', f'train_dataloader = dict(dataset={dataset!r})')
    (out / 'faulty.py').write_text('\n'.join((*lines, '')))


def judge(out: Path, checkpoints: list[Path]) -> None:
    """Print the average precision of finding the faults."""
    settings = read_config(out / 'faulty.py')
    part = next(plain_datasets(settings.train_dataloader.dataset.labeled))
    with (out / 'faults.csv').open(newline='') as file:
        faults = dict(csv.reader(file))
    kinds, scores = [], []
    for number, checkpoint in enumerate(checkpoints):
        trained_on = set((out / 'folds' / f'fold_{number}.txt').read_text().split())
        images = labeled_images(init_peers(settings, checkpoint), part)
        held = [place for place, name in enumerate(images.names) if name not in trained_on]
        for place, view in zip(held, images.views(held), strict=True):
            mask = view.truth.astype(np.uint8)
            kinds.append(faults.get(images.names[place], ''))
            scores.append((contradiction(mask, view.labels, view.probability), cleanlab_score(mask, view)))
    print(f'{len(faults)} of {len(kinds)} masks are faulty; average precision:')
    for name, row in zip(('contradiction', 'cleanlab'), np.array(scores).T, strict=True):
        print(f'{name}: {told(precisions(np.array(kinds), row))}')


def main() -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path)
    parser.add_argument('labeled', type=Path)
    parser.add_argument('unlabeled', type=Path)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--judge', nargs=2, type=Path, metavar='CHECKPOINT')
    args = parser.parse_args()
    if args.judge:
        judge(args.out, args.judge)
    else:
        write_faults(args.config, args.labeled, args.unlabeled, args.out, args.seed)


if __name__ == '__main__':
    main()
