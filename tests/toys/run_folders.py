"""Folders as runs leave them, made up: what MMEngine writes, in its form."""

import json

from PIL import Image

from mmdmt.labels.manifest import Manifest

CONFIG = """mmdmt_version = '0.1.0'
custom_hooks = [
    dict(
        phases=[
            dict(iters=100, labeled=8),
            dict(iters=100, label_ratio=0.5, labeled=2, lr_factor=0.5, pseudo=6),
        ],
        type='mmdmt.DMTHook'),
]
model = dict(
    loss=dict(gamma_agree=3.0, gamma_disagree=-3.0, type='mmdmt.DynamicMutualLoss'),
    peers=dict(
        coco=dict(backbone=dict(depth=101, type='ResNet'), type='EncoderDecoder'),
        imagenet=dict(backbone=dict(depth=50, type='ResNet'), type='EncoderDecoder')),
    type='mmdmt.DynamicMutualTraining')
optim_wrapper = dict(optimizer=dict(lr=0.01, type='SGD'))
randomness = dict(seed=7)
train_cfg = dict(max_iters=200, type='IterBasedTrainLoop', val_interval=100)
train_dataloader = dict(batch_size=8, dataset=dict(labeled=dict(type='BaseSegDataset')))
work_dir = 'somewhere'
"""
LINE = '2026/01/02 10:00:00 - mmengine - INFO - \n'
HEAD = f"""{LINE}------------------------------------------------------------
System environment:
    sys.platform: linux
    Python: 3.11.7 (main) [GCC 12.2.0]
    PyTorch: 2.14.1+cpu
    PyTorch compiling details: PyTorch built with:
  - GCC 13.3
    MMEngine: 0.10.7

Runtime environment:
    seed: 7
    GPU number: 1
------------------------------------------------------------

"""
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


def training(step, **values):
    """An entry of iterations."""
    entry = {'loss': 1.5, 'time': 0.1, 'data_time': 0.01, 'iter': step, 'step': step}
    for peer, loss in (('coco', 2.0 - step / 200), ('imagenet', 1.0)):
        entry[f'{peer}.decode.loss_dmt'] = loss
        if step > 100:
            entry |= {f'{peer}.mean_weight': 0.9, f'{peer}.disagreement': 0.25, f'{peer}.learner_wins': 0.125}
    return {**entry, **values}


def validation(step, coco, imagenet, ensemble):
    """The entries of a validation: the classes of each, then the metrics."""
    scores = {'coco': coco, 'imagenet': imagenet, 'ensemble': ensemble}
    classes = [
        {**{f'{name}/IoU/{one}': score + sign for one, sign in zip(CLASSES, (1.0, -1.0), strict=True)}, 'step': step}
        for name, score in scores.items()
    ]
    metrics = {f'{name}/{metric}': score for name, score in scores.items() for metric in ('aAcc', 'mIoU')}
    return [*classes, {**metrics, 'data_time': 0.1, 'time': 0.2, 'step': step}]


def labeling(step, phase, coverage=50.0):
    """The entry of a labeling."""
    entry = {'pseudo/phase': phase, 'pseudo/seconds': 12.5, 'step': step}
    for peer in ('coco', 'imagenet'):
        start = f'pseudo/{peer}'
        entry |= {f'{start}/coverage': coverage, f'{start}/precision': 87.5, f'{start}/mIoU': 75.0}
        for one in CLASSES:
            entry |= {
                f'{start}/coverage/{one}': coverage,
                f'{start}/threshold/{one}': 0.9375,
                f'{start}/precision/{one}': 81.25,
                f'{start}/iou/{one}': 68.75,
            }
    return entry


FINISHED = [
    *(training(step) for step in (50, 100)),
    labeling(100, 1),
    *validation(100, 60.0, 50.0, 61.0),
    *(training(step) for step in (150, 200)),
    *validation(200, 58.25, 55.5, 64.75),
]


def write_run(work_dir, entries=FINISHED, config=CONFIG, log='', start='20260102_100000', name='tiny'):
    """Write one start of a run."""
    folder = work_dir / start
    (folder / 'vis_data').mkdir(parents=True)
    (folder / 'vis_data' / 'scalars.json').write_text(''.join(json.dumps(entry) + '\n' for entry in entries))
    (folder / f'{start}.log').write_text(HEAD + log)
    if config:
        (folder / 'vis_data' / 'config.py').write_text(config)
        (work_dir / f'{name}.py').write_text(config)
    return work_dir


def write_picture(path, size=(32, 16), color=(200, 30, 90)):
    """Write a picture of one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, color).save(path)
