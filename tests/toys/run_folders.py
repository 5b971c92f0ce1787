"""Folders as runs leave them, made up: what MMEngine writes, in its form."""

import json
from datetime import datetime, timedelta

from PIL import Image

from mmdmt.labels.manifest import Manifest

PHASES = [{'iters': 100, 'labeled': 8}, {'iters': 100, 'labeled': 2, 'pseudo': 6, 'label_ratio': 0.5, 'lr_factor': 0.5}]
CONFIG = {
    'custom_hooks': [{'type': 'mmdmt.DMTHook', 'phases': PHASES}],
    'model': {
        'type': 'mmdmt.DynamicMutualTraining',
        'loss': {'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 3.0, 'gamma_disagree': -3.0},
        'peers': {
            'coco': {'type': 'EncoderDecoder', 'backbone': {'type': 'ResNet', 'depth': 101}},
            'imagenet': {'type': 'EncoderDecoder', 'backbone': {'type': 'ResNet', 'depth': 50}},
        },
    },
    'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01}},
    'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': 200, 'val_interval': 100},
    'train_dataloader': {'batch_size': 8, 'dataset': {'labeled': {'type': 'BaseSegDataset'}}},
}
CLASSES = ('road', 'traffic <light>')

MANIFEST = Manifest(
    run='20260101_000000',
    phase=2,
    peer='coco',
    weights='ab',
    images=5,
    names='cd',
    label_ratio=0.4,
    thresholds=(0.5, float('inf'), 0.75),
    totals=(100, 0, 50),
    kept=(40, 0, 20),
    shards=1,
)


def start(iteration=0, seed=7, name='tiny', config=CONFIG, phases=PHASES, **facts):
    """What a run writes down when it starts."""
    ends = [sum(phase['iters'] for phase in phases[: number + 1]) for number in range(len(phases))]
    spans = [
        {'start': end - phase['iters'], 'stop': end, 'settings': phase, 'kind': 'some kind'}
        for phase, end in zip(phases, ends, strict=True)
    ]
    return {
        'event': 'start', 'run': '20260102_100000', 'iteration': iteration, 'iterations': ends[-1],
        'config_name': name, 'seed': seed, 'peers': list(config['model']['peers']), 'classes': list(CLASSES),
        'lists': {'labeled': '530, VOC 1/20 of DMT, split 0'}, 'phases': spans,
        'versions': {'python': '3.11.7', 'torch': '2.14.1'}, 'processes': 1,
        'machine': {'processor': 'some CPU', 'cores': 2, 'gpu': None},
        'config': {**config, 'randomness': {'seed': seed}}, **facts,
    }  # fmt: skip


def training(step, **values):
    """An entry of iterations."""
    entry = {'loss': 1.5, 'time': 0.1, 'data_time': 0.01, 'iter': step, 'step': step}
    for peer, loss in (('coco', 2.0 - step / 200), ('imagenet', 1.0)):
        entry[f'{peer}.decode.loss_dmt'] = loss
        if step > 100:
            entry |= {f'{peer}.mean_weight': 0.9, f'{peer}.disagreement': 0.25, f'{peer}.learner_wins': 0.125}
    return {**entry, **values}


RELIABILITY = {
    'coco': {'error': 0.125, 'bins': [[0.25, 0.45, 0.35], [0.75, 0.95, 0.8125]]},
    'ensemble': {
        'error': 0.0625,
        'bins': [[0.25, 0.45, 0.45], [0.75, 0.95, 0.875]],
        'temperature': 1.61,
        'calibrated_error': 0.03125,
        'calibrated_bins': [[1.0, 0.8, 0.76875]],
    },
}


def validation(step, coco, imagenet, ensemble):
    """The results of a validation."""
    scores = {'coco': coco, 'imagenet': imagenet, 'ensemble': ensemble}
    values = {f'{name}/{metric}': score for name, score in scores.items() for metric in ('aAcc', 'mIoU')}
    for name, score in scores.items():
        values |= {f'{name}/IoU/{one}': score + sign for one, sign in zip(CLASSES, (1.0, -1.0), strict=True)}
    return {'event': 'validation', 'iteration': step, 'values': values, 'reliability': RELIABILITY}


def labeling(step, phase, coverage=50.0, classes=CLASSES, **values):
    """What was measured of the pseudo labels of a phase."""
    found = {'pseudo/phase': phase, 'pseudo/seconds': 12.5}
    for peer in ('coco', 'imagenet'):
        prefix = f'pseudo/{peer}'
        found |= {f'{prefix}/coverage': coverage, f'{prefix}/precision': 87.5, f'{prefix}/mIoU': 75.0}
        for one in classes:
            found |= {
                f'{prefix}/coverage/{one}': coverage,
                f'{prefix}/threshold/{one}': 0.9375,
                f'{prefix}/precision/{one}': 81.25,
                f'{prefix}/iou/{one}': 68.75,
            }
    return {'event': 'labels', 'phase': phase, 'iteration': step, 'values': {**found, **values}}


def phase(number):
    """That a phase begins."""
    return {'event': 'phase', 'phase': number, 'iteration': 100 * number}


def warning(text):
    """A line of the log."""
    return {'event': 'warning', 'level': 'WARNING', 'text': text}


END = {'event': 'end', 'iteration': 200, 'cpu_seconds': 812.0}
FINISHED = [
    start(),
    phase(0),
    *(training(step) for step in (50, 100)),
    phase(1),
    labeling(100, 1),
    validation(100, 60.0, 50.0, 61.0),
    *(training(step) for step in (150, 200)),
    validation(200, 58.25, 55.5, 64.75),
    END,
]


def finished(coco, imagenet, ensemble, **facts):
    """A run of which only the last validation is told."""
    return [start(**facts), training(200), validation(200, coco, imagenet, ensemble), END]


def write_run(work_dir, entries=FINISHED, when='20260102_100000'):
    """Write one start of a run: events a minute apart, and scalars."""
    folder = work_dir / when
    (folder / 'vis_data').mkdir(parents=True)
    begin = datetime.strptime(when, '%Y%m%d_%H%M%S')
    events = [
        {'time': (begin + timedelta(minutes=minute)).isoformat(), **event}
        for minute, event in enumerate(entry for entry in entries if 'event' in entry)
    ]
    scalars = [entry for entry in entries if 'event' not in entry]
    for path, lines in ((folder / 'events.jsonl', events), (folder / 'vis_data' / 'scalars.json', scalars)):
        path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    (folder / 'vis_data' / 'config.py').write_text("work_dir = 'somewhere'\n")
    return work_dir


def write_picture(path, size=(32, 16), color=(200, 30, 90)):
    """Write a picture of one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, color).save(path)
