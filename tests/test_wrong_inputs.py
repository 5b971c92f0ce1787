"""What users do wrong, end to end: each ends before the first iteration, with one sentence of ours.

A case is a name, what is wrong, and the words that the sentence must hold: the value, its place, the remedy. What is
wrong with a run is a change to the working config of toys.segmentation, or a function that spoils a copy of the data,
or makes a file, and returns such a change. What is wrong with a command line is its arguments.
"""

import pickle
import runpy
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, MODELS, DefaultScope, init_default_scope
from mmengine.runner import Runner
from mmseg.models import EncoderDecoder
from PIL import Image
from toys.segmentation import CLASSES, TRAIN_PIPELINE, run_config, shapes, toy_segmentor

from mmdmt.models import DynamicMutualTraining

ROOT = Path(__file__).parents[1]
HOOK = 'custom_hooks.0.'
PHASE = HOOK + 'phases.1.'
LABELED = 'train_dataloader.dataset.labeled.'
UNLABELED = 'train_dataloader.dataset.unlabeled.'
VAL = 'val_dataloader.dataset.'
BEST = {HOOK + 'carry': 'best'}


class Place(NamedTuple):
    """Where a case happens."""

    data: Path
    work_dir: Path


def replaced(key, value):
    """Settings that put a dict in place of another."""
    return {key: {**value, '_delete_': True}}


def peer(**changes):
    """Settings of a left peer whose decode head is changed."""
    return {f'model.peers.left.decode_head.{key}': value for key, value in changes.items()}


def phases(*configs):
    return {HOOK + 'phases': list(configs)}


def listed(part, text, encoding='utf-8'):
    """Write another list of images."""

    def spoil(place):
        (place.data / f'{part}.txt').write_bytes(text.encode(encoding))
        return {}

    return spoil


def painted(name, change):
    """Change an image or a mask of the data."""

    def spoil(place):
        path = str(place.data / name)
        cv2.imwrite(path, change(cv2.imread(path, cv2.IMREAD_UNCHANGED)))
        return {}

    return spoil


def written(name, content):
    def spoil(place):
        (place.data / name).write_bytes(content)
        return {}

    return spoil


def linked(name, other):
    def spoil(place):
        (place.data / name).unlink()
        (place.data / name).symlink_to(place.data / other)

    return spoil


def every_mask(value):
    def spoil(place):
        for path in (place.data / 'masks').iterdir():
            cv2.imwrite(str(path), np.full_like(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), value))
        return {}

    return spoil


def every(part, change, before='.png', after='.png'):
    """Rewrite the files of a folder, under another suffix if one is given."""

    def spoil(place):
        for path in sorted((place.data / part).iterdir()):
            changed = change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
            path.unlink()
            Image.fromarray(changed).save(
                path.with_suffix(after), format={'.png': 'PNG', '.PNG': 'PNG'}.get(after, 'TIFF')
            )
        return {LABELED + 'seg_map_suffix': after, VAL + 'seg_map_suffix': after} if after != before else {}

    return spoil


def in_validation(change):
    """Change the masks of the validation set alone."""

    def spoil(place):
        for number in range(16, 20):
            painted(f'masks/{number:03d}.png', change)(place)
        return {}

    return spoil


def random_before_the_label(kind):
    load, *_, pack = TRAIN_PIPELINE
    steps = [load, kind, {'type': 'mmdmt.LoadPseudoLabel'}, {'type': 'mmdmt.PackPseudoLabel'}]
    del pack
    return {UNLABELED + 'pipeline': steps}


def ignoring(value, *places):
    """Settings of a run in which everything ignores 3, but some places another label."""
    everywhere = [LABELED + 'ignore_index', VAL + 'ignore_index', 'val_evaluator.metric.ignore_index']
    for name in ('left', 'right'):
        for key in ('decode_head.ignore_index', 'auxiliary_head.ignore_index', 'data_preprocessor.seg_pad_val'):
            everywhere.append(f'model.peers.{name}.{key}')
    return {**dict.fromkeys(everywhere, 3), **dict.fromkeys(places, value)}


def own_lists(text, name='left'):
    """Give a peer its part of the labeled set."""

    def spoil(place):
        (place.data / 'left.txt').write_text(text)
        return {HOOK + 'phases.0.labeled_lists': {name: str(place.data / 'left.txt')}}

    return spoil


class Call:
    """Pickles as a shell command, which runs where it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        import os

        return os.system, (self.command,)


def crafted(place, keep=None):
    """Make a checkpoint that creates a file called `witness` when it is unpickled."""
    path = place.data / 'crafted.pth'
    torch.save({'state_dict': keep or {}, 'meta': Call(f'touch {place.data / "witness"}')}, path)
    return str(path)


def checkpoint(content, key='load_from', **more):
    """Give a run a checkpoint to start from; what `content` returns for the place is saved in it."""

    def spoil(place):
        path = place.data / 'given.pth'
        torch.save(content(place), path)
        return {key: str(path), **more}

    return spoil


def plain_weights(place, **settings):
    init_default_scope('mmseg')
    return {'state_dict': MODELS.build(toy_segmentor(**settings)).state_dict(), 'meta': {'iter': 1, 'epoch': 0}}


def whole_weights(place, **settings):
    init_default_scope('mmseg')
    config = run_config(place.data, place.work_dir, **settings)
    state = MODELS.build(config.model).state_dict()
    return {'state_dict': state, 'meta': {'iter': 1, 'epoch': 0}, 'dmt': {}, 'optimizer': {}, 'message_hub': {}}


def spoilt_file(content, key='load_from', **more):
    def spoil(place):
        (place.data / 'given.pth').write_bytes(content)
        return {key: str(place.data / 'given.pth'), **more}

    return spoil


PEER_FILE = 'model.load_from.left'
RUNS = {
    # The hook and its phases.
    'hook, no phases': ({'custom_hooks': [{'type': 'mmdmt.DMTHook'}]}, 'DMTHook needs its phases', 'give warm_up'),
    'hook, phases empty': (phases(), 'phases=[]', 'give at least one phase'),
    'hook, phases no list': (
        {'custom_hooks': [{'type': 'mmdmt.DMTHook', 'phases': {'iters': 9, 'labeled': 4}}]},
        'must be a list of dicts',
        'give phases=[dict(',
    ),
    'hook, unknown carry': ({HOOK + 'carry': 'first'}, "carry='first' of DMTHook", "'last', 'best', 'scratch'"),
    'hook, keep_banks in words': ({HOOK + 'keep_banks': 'all'}, "keep_banks='all' of DMTHook", 'a whole number'),
    'hook, labeling misspelled': ({HOOK + 'labeling.batchsize': 3}, "['batchsize']", 'give batch_size'),
    'hook, labeling nothing at once': ({HOOK + 'labeling.batch_size': 0}, 'batch_size=0 of labeling of DMTHook'),
    'hook, labeling quoted': ({HOOK + 'labeling.num_workers': '2'}, "num_workers='2' of labeling of DMTHook"),
    'hook, twice': (lambda place: twice(place), 'number of DMTHooks is 2 in custom_hooks', 'join their phases'),
    'hook, none': ({'custom_hooks': []}, 'no phase to draw for', "add custom_hooks=[dict(type='mmdmt.DMTHook'"),
    'phase, misspelled key': ({PHASE + 'iter': 3}, 'phases[1]', "unexpected keyword argument 'iter'"),
    'phase, without length': (phases({'labeled': 4}), 'phases[0]', "missing 1 required positional argument: 'iters'"),
    'phase, length quoted': ({PHASE + 'iters': '3'}, 'phases[1]', "iters='3' of a phase", 'without quotes'),
    'phase, no length': ({PHASE + 'iters': 0}, 'iters=0', 'a whole number >= 1'),
    'phase, ratio in percent': ({PHASE + 'label_ratio': 20}, 'phases[1]', 'label_ratio=20'),
    'phase, ratio 0': ({PHASE + 'label_ratio': 0.0}, 'label_ratio=0.0', '(0, 1]'),
    'phase, ratio quoted': ({PHASE + 'label_ratio': '0.5'}, "label_ratio='0.5' of a phase", 'give a number'),
    'phase, pseudo without ratio': ({HOOK + 'phases.0.pseudo': 2}, 'phases[0]', 'give label_ratio'),
    'phase, negative lr': ({PHASE + 'lr': -0.1}, 'lr=-0.1', 'give a number > 0'),
    'phases, longer than the loop': ({'train_cfg.max_iters': 8}, 'is 8 in train_cfg.max_iters'),
    'phases, other batch size': ({'train_dataloader.batch_size': 8}, 'is 8 in train_dataloader.batch_size'),
    'own list, unknown peer': (own_lists('000\n', 'lef'), "is 'lef' in phases[0].labeled_lists", "'left', 'right'"),
    'own list, missing': ({HOOK + 'phases.0.labeled_lists': {'left': 'no.txt'}}, 'no.txt', 'does not exist'),
    'own list, empty': (own_lists('\n'), 'left.txt names no image'),
    'own list, not labeled': (own_lists('000\n007\n'), 'left.txt', "'007'", 'missing from the 6'),
    'own list, out of the data': (own_lists('../../etc/passwd\n'), 'left.txt', "'../../etc/passwd'"),
    'own list, no dict': ({HOOK + 'phases.0.labeled_lists': 'left.txt'}, "labeled_lists='left.txt'", 'give dict(peer='),
    # The model.
    'model, peers a list': ({'model.peers': [toy_segmentor()]}, 'names no peer', 'peers=dict(left='),
    'model, no peer': ({'model.peers': {'_delete_': True}}, 'names no peer', 'at least one model'),
    'model, predict of nobody': ({'model.predict': 'middle'}, "is 'middle' in predict of DynamicMutualTraining"),
    'model, no preprocessor': ({'model.peers.left.data_preprocessor': None}, "Peer 'left'", 'no data_preprocessor'),
    'model, peer of nothing': ({'model.peers.left': 'unet.py'}, "peers['left']='unet.py'", 'give the dict'),
    'model, unknown backbone': ({'model.peers.left.backbone.type': 'ResNot'}, "Peer 'left'", 'ResNot is not in'),
    'model, misspelled in a peer': (peer(chanels=8), "Peer 'left'", "'chanels'", "mend peers['left']"),
    'model, other classes': (peer(num_classes=4), "is 4 in peer 'left', but 3 in peer 'right'", 'set num_classes'),
    'model, sigmoid': (peer(loss_decode={'type': 'CrossEntropyLoss', 'use_sigmoid': True}), 'decode_head (FCNHead)'),
    'model, one output': (peer(num_classes=2, out_channels=1), 'out_channels=1', 'set num_classes=2, out_channels=2'),
    'model, dice': (peer(loss_decode={'type': 'DiceLoss', '_delete_': True}), 'computes DiceLoss', 'CrossEntropyLoss'),
    'model, no plugin model': (replaced('model', toy_segmentor()), 'EncoderDecoder', 'mmdmt.DynamicMutualTraining'),
    'model, gaps between crops': (
        {'model.peers.left.test_cfg': {'mode': 'slide', 'crop_size': (32, 32), 'stride': (36, 32)}},
        "gap between crops is 4 in test_cfg of peer 'left'",
        'make stride at most crop_size',
    ),
    'loss, negative gamma': ({'model.loss.gamma_agree': -1.0}, 'gamma_agree=-1.0', 'give a number >= 0'),
    'loss, gamma quoted': ({'model.loss.gamma_disagree': '5'}, "gamma_disagree='5' of DynamicMutualLoss"),
    'loss, unknown rule': ({'model.loss.rule': 'mutal'}, "rule='mutal'", "give one of 'mutual'"),
    'loss, another': (replaced('model.loss', {'type': 'CrossEntropyLoss'}), 'CrossEntropyLoss'),
    # Optimizers, schedules, loops.
    'optimizer, one for all': (
        lambda place: unset('optim_wrapper', 'constructor'),
        "is 'OptimWrapper' in optim_wrapper",
        'add',
    ),
    'optimizer, unknown peer': ({'optim_wrapper.peers': {'lef': {}}}, "optim_wrapper.peers names ['lef']"),
    'optimizer, unknown type': ({'optim_wrapper.optimizer.type': 'SDG'}, "optim_wrapper of peer 'left'", 'SDG'),
    'optimizer, misspelled': ({'optim_wrapper.optimizer.momentun': 0.9}, "optim_wrapper of peer 'left'", "'momentun'"),
    'compile of everything': ({'compile': True}, 'compile is True in the config', 'take it out'),
    'optimizer, AMP without GPU': ({'optim_wrapper.type': 'AmpOptimWrapper'}, "optim_wrapper of peer 'left'"),
    'schedule, in epochs': ({'param_scheduler.0.by_epoch': True}, 'PolyLR counts epochs', 'by_epoch=False'),
    'schedule, too late': ({'param_scheduler.0.begin': 5}, 'begins at iteration 5', '3 iterations', 'begin earlier'),
    'loop, in epochs': (
        {'train_cfg': {'_delete_': True, 'by_epoch': True, 'max_epochs': 3}, 'param_scheduler': None},
        'EpochBasedTrainLoop',
        "type='IterBasedTrainLoop', max_iters=",
    ),
    # The data.
    'data, mmseg dataset': (
        lambda place: replaced('train_dataloader.dataset', shapes(place.data, 'labeled.txt', pipeline=TRAIN_PIPELINE)),
        "is 'BaseSegDataset' in train_dataloader",
        "dict(type='mmdmt.MutualDataset'",
    ),
    'data, no batch sampler': ({'train_dataloader.batch_sampler': None}, "is 'BatchSampler' in train_dataloader"),
    'data, no root': ({LABELED + 'data_root': '/no/such'}, '/no/such/labeled.txt', 'labeled dataset', 'make the list'),
    'data, no folder': ({LABELED + 'ann_file': '', LABELED + 'data_prefix.img_path': 'imgs'}, 'imgs', 'data_prefix'),
    'data, no such dataset': ({LABELED + 'type': 'BaseSegDatset'}, 'labeled dataset', 'BaseSegDatset is not in'),
    'data, misspelled in a dataset': ({UNLABELED + 'image_suffix': '.png'}, 'unlabeled dataset', "'image_suffix'"),
    'data, no classes': ({LABELED + 'metainfo': {'_delete_': True}}, 'has no classes'),
    'data, one class too many': (
        replaced(LABELED + 'metainfo', {'classes': [*CLASSES, 'star'], 'palette': [[0] * 3] * 4}),
        "num_classes is 3 in the heads of peer 'left'",
        '4 in the labeled dataset (ground, square, disc, star)',
        'set num_classes',
    ),
    'data, other suffix': ({UNLABELED + 'img_suffix': '.jpg'}, 'images/006.jpg', '10 images do not exist'),
    'data, no annotations loaded': (
        {LABELED + 'pipeline': [TRAIN_PIPELINE[0], TRAIN_PIPELINE[-1]]},
        'loads no pseudo label',
        'mmdmt.LoadPseudoLabel',
    ),
    'data, masks for the unlabeled': ({UNLABELED + 'pipeline': TRAIN_PIPELINE}, 'loads annotations', 'in place of'),
    'data, classes in numbers': (
        {LABELED + 'metainfo.classes': (0, 1, 2)},
        'is 0, 1, 2 in the labeled dataset',
        'strings',
    ),
    'data, no whole batch': (
        {'val_dataloader.drop_last': True, 'val_dataloader.batch_size': 8},
        'whole batches is 0 in val_dataloader (drop_last=True, batch_size=8)',
        'take drop_last out',
    ),
    'list, of a link to a labeled image': (
        linked('images/007.png', 'images/002.png'),
        'images/007.png',
        'take them off',
    ),
    'list, missing': ({LABELED + 'ann_file': 'labels.txt'}, 'labeled dataset', 'labels.txt', 'ann_file'),
    'list, empty': (listed('unlabeled', ''), 'The unlabeled dataset', 'has no image', 'unlabeled.txt'),
    'list, in both': (listed('unlabeled', '005\n006\n'), '1 images are both', '005.png', 'take them off'),
    'list, with suffix': (listed('labeled', '000.png\n001.png\n'), 'line 1', "'000.png'", 'without it'),
    'list, with an empty line': (listed('labeled', '000\n\n001\n'), 'line 2', 'is empty', 'remove it'),
    'list, in UTF-16': (listed('unlabeled', '006\r\n', 'utf-16'), 'unlabeled.txt', 'UTF-8', 'save the list anew'),
    'list, with a mark': (listed('labeled', '000\n', 'utf-8-sig'), 'line 1', 'byte order mark'),
    'list, up and away': (listed('unlabeled', '006\n../../../etc/x\n'), 'line 2', "'../../../etc/x'", 'set data_root'),
    'list, absolute': (listed('labeled', '000\n/etc/x\n'), 'line 2', "'/etc/x'", 'leads out of the data'),
    'list, unknown image': (listed('labeled', '000\nnine\n'), 'images/nine.png', 'does not exist'),
    'image, no mask': (lambda place: (place.data / 'masks/003.png').unlink(), 'masks/003.png', 'does not exist'),
    'image, damaged': (written('images/002.png', b'\x89PNG'), 'images/002.png', 'is not an image', 'replace it'),
    'mask, damaged': (written('masks/002.png', b'\x89PNG'), 'masks/002.png', 'is not an image', 'take it off'),
    'mask, of another size': (painted('masks/001.png', lambda mask: mask[:-4]), 'masks/001.png has 48x32 pixels'),
    'mask, not a class': (painted('masks/004.png', lambda mask: mask + 1), 'masks/004.png', 'holds label 3', '0..2'),
    'mask, in colors': (painted('masks/000.png', lambda mask: np.dstack([mask] * 3)), 'masks/000.png'),
    'mask, in colors, .PNG': (every('masks', lambda mask: np.dstack([mask] * 3), after='.PNG'), 'with 3 channels'),
    'mask, in colors, .tif': (every('masks', lambda mask: np.dstack([mask] * 3), after='.tif'), 'with 3 channels'),
    'mask, 16 bits, .tif': (every('masks', lambda mask: mask.astype(np.uint16) + 256, after='.tif'), 'mode I;16'),
    'mask, of numbers with a point': (
        every('masks', lambda mask: mask.astype(np.float32) + 0.7, after='.tiff'),
        'mode F',
        'convert it',
    ),
    'mask of validation, not a class': (in_validation(lambda mask: mask * 80), 'masks/016.png holds labels 80, 160'),
    'mask of validation, of another size': (in_validation(lambda mask: mask[:-4]), 'masks/016.png has'),
    'mask of validation, missing': (
        lambda place: (place.data / 'masks/018.png').unlink(),
        'masks/018.png does not exist',
        'check data_root',
    ),
    'images, 12 bits in 16': (
        every('images', lambda image: image[..., 0].astype(np.uint16) * 16),
        'has 16 bits a channel, but is loaded with 8',
        "color_type='unchanged'",
    ),
    'ignored label, of the labeled set': (
        ignoring(255, LABELED + 'ignore_index'),
        "ignore_index is 3 in decode_head of peer 'left', but 255 in the labeled dataset",
        'give all of them the same',
    ),
    'ignored label, of validation': (ignoring(255, VAL + 'ignore_index'), '255 in val_dataloader.dataset', 'the same'),
    'ignored label, of the metric': (
        ignoring(255, 'val_evaluator.metric.ignore_index'),
        '255 in PeerMetric of val_evaluator',
        'the same',
    ),
    'ignored label, of padding': (
        ignoring(255, 'model.peers.right.data_preprocessor.seg_pad_val'),
        "255 in seg_pad_val of the data_preprocessor of peer 'right'",
        'the same',
    ),
    'ignored label, of one head': (
        ignoring(255, 'model.peers.right.auxiliary_head.ignore_index'),
        "255 in auxiliary_head of peer 'right'",
        'the same',
    ),
    'ignored label, of a transform': (
        {
            **ignoring(3),
            LABELED + 'pipeline': [
                *TRAIN_PIPELINE[:4],
                {'type': 'RandomRotate', 'prob': 1, 'degree': 9},
                TRAIN_PIPELINE[-1],
            ],
            UNLABELED + 'pipeline': [
                TRAIN_PIPELINE[0],
                {'type': 'mmdmt.LoadPseudoLabel'},
                {'type': 'mmdmt.PackPseudoLabel'},
            ],
        },
        '255 in seg_pad_val of RandomRotate of the labeled dataset',
        'the same',
    ),
    'ignored label, of pseudo labels': (
        {
            **ignoring(3),
            UNLABELED + 'pipeline': [
                TRAIN_PIPELINE[0],
                {'type': 'mmdmt.LoadPseudoLabel', 'ignore_index': 255},
                {'type': 'mmdmt.PackPseudoLabel'},
            ],
        },
        '255 in ignore_index of LoadPseudoLabel of the unlabeled dataset',
        'the same',
    ),
    'ignored label, below zero': ({**ignoring(-100), LABELED + 'ignore_index': -100}, 'ignore_index=-100', 'in 0..255'),
    'zero, dropped in the labeled set alone': (
        {LABELED + 'reduce_zero_label': True},
        'reduce_zero_label is True in the labeled dataset, but False in val_dataloader.dataset',
        'give the datasets the same',
    ),
    'zero, dropped by the loader alone': (
        {
            LABELED + 'pipeline': [
                TRAIN_PIPELINE[0],
                {'type': 'LoadAnnotations', 'reduce_zero_label': True},
                *TRAIN_PIPELINE[2:],
            ]
        },
        'LoadAnnotations has reduce_zero_label=True, but its BaseSegDataset has False',
        'set it in the dataset',
    ),
    'zero, dropped, and another label ignored': (
        {**ignoring(3), LABELED + 'reduce_zero_label': True, VAL + 'reduce_zero_label': True},
        'reduce_zero_label=True turns labels into 255',
        'ignore_index=255',
    ),
    'one class': (
        {
            **{
                f'{part}metainfo': {'classes': ['plant'], 'palette': [[0] * 3], '_delete_': True}
                for part in (LABELED, VAL)
            },
            **{
                f'model.peers.{name}.{head}.num_classes': 1
                for name in ('left', 'right')
                for head in ('decode_head', 'auxiliary_head')
            },
        },
        'num_classes is 1',
        'name the background as a class',
    ),
    'random size before the pseudo label': (random_before_the_label(TRAIN_PIPELINE[2]), 'RandomResize'),
    'random flip before the pseudo label': (random_before_the_label(TRAIN_PIPELINE[4]), 'RandomFlip'),
    'rate of a phase, from zero': ({PHASE + 'lr': 0.1, 'optim_wrapper.optimizer.lr': 0.0}, 'phases[1].lr=0.1'),
    'metric of the best, none': ({**BEST, HOOK + 'carry_metric': None}, "is 'None' in carry_metric"),
    'labeling, thousands of workers': ({HOOK + 'labeling.num_workers': 5000}, 'num_workers=5000 of labeling'),
    'mask, all ignored': (every_mask(255), 'hold 255 alone, which is ignored', 'convert the masks'),
    'val, classes in another order': (
        {VAL + 'metainfo.classes': CLASSES[::-1]},
        "is 'ground', 'square', 'disc' in the labeled dataset, but 'disc', 'square', 'ground'",
        'in the same order',
    ),
    'val, other classes': (
        replaced(VAL + 'metainfo', {'classes': CLASSES[:2], 'palette': [[0] * 3] * 2}),
        "but 'ground', 'square' in val_dataloader.dataset",
    ),
    'val, none for the best': (
        {**BEST, 'val_cfg': None, 'val_dataloader': None, 'val_evaluator': None},
        "'mIoU' in carry_metric of DMTHook",
        'nothing in val_evaluator',
        'add val_cfg',
    ),
    'val, unknown metric': ({**BEST, HOOK + 'carry_metric': 'mDice'}, "is 'mDice' in carry_metric of DMTHook"),
    'val, not for each peer': ({**BEST, **replaced('val_evaluator', {'type': 'IoUMetric'})}, 'mIoU'),
    'val, no such metric': ({'val_evaluator.metric.type': 'IouMetric'}, 'PeerMetric cannot be built'),
    # Checkpoints.
    'load_from, missing': ({'load_from': '/no/such.pth'}, '/no/such.pth, load_from,', 'does not exist'),
    'load_from, no checkpoint': (spoilt_file(b'<html>404'), 'given.pth, load_from,', 'cannot be read safely'),
    'load_from, cut short': (spoilt_file(b'PK\x03\x04 and no more'), 'given.pth', 'is damaged or incomplete'),
    'load_from, a pickle': (spoilt_file(pickle.dumps({'state_dict': {}}, protocol=2)), 'given.pth'),
    'load_from, runs code': (lambda place: {'load_from': crafted(place)}, 'crafted.pth, load_from,'),
    'load_from, plain': (checkpoint(plain_weights), "nothing for peer 'left'", 'model.load_from=dict(left='),
    'load_from, no weights': (checkpoint(lambda _: [1, 2]), 'holds a list', 'give a file with a state_dict'),
    'load_from, no tensors': (checkpoint(lambda _: {'state_dict': {'a': 1}}), 'holds no tensors by name'),
    'load_from, no tensors where MMEngine looks': (
        checkpoint(lambda place: {'state_dict': [1], 'ema_state_dict': whole_weights(place)['state_dict']}),
        'holds no tensors by name',
    ),
    'peer file, missing': ({PEER_FILE: '/no/such.pth'}, "/no/such.pth, the checkpoint for peer 'left'"),
    'peer file, of nobody': ({'model.load_from.lef': 'x.pth'}, "is 'lef' in load_from of DynamicMutualTraining"),
    'peer file, damaged': (spoilt_file(b'PK\x03\x04', PEER_FILE), "for peer 'left'", 'is damaged or incomplete'),
    'peer file, runs code': (lambda place: {PEER_FILE: crafted(place)}, "crafted.pth, the checkpoint for peer 'left'"),
    'peer file, other network': (checkpoint(lambda place: plain_weights(place, width=6), PEER_FILE), 'do not fit'),
    'resume, plain': (checkpoint(plain_weights, resume=True), 'not written by a run with DMTHook', 'without --resume'),
    'resume, other network': (
        checkpoint(lambda place: whole_weights(place, **{'model.peers.left': toy_segmentor(width=8)}), resume=True),
        'the checkpoint to resume, lacks',
        "'left.",
        'resume with the config that wrote it',
    ),
    'resume, runs code': (
        lambda place: {'load_from': crafted(place), 'resume': True},
        'crafted.pth, the checkpoint to resume',
    ),
}


UNKNOWN = {
    'cary': {HOOK + 'cary': 'best'},
    'predicts': {'model.predicts': 'left'},
    'gama_agree': {'model.loss.gama_agree': 5.0},
    'unlabelled': {'train_dataloader.dataset.unlabelled': {}},
    'metric': replaced('val_evaluator', {'type': 'mmdmt.PeerMetric'}),
}


def unset(section, key):
    return {f'unset {section}': key}


def twice(place):
    hook = run_config(place.data, place.work_dir).custom_hooks[0]
    return {'custom_hooks': [hook, hook]}


@pytest.fixture
def place(shapes_folder, tmp_path):
    return Place(copytree(shapes_folder, tmp_path / 'data'), tmp_path / 'work_dir')


def check_sentence(text, words):
    assert '\n' not in text
    assert text.endswith('.')
    assert len(text) < 1000
    for word in words:
        assert word in text, text


def raised_in(error):
    """The file in which an error was raised."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return Path(trace.tb_frame.f_code.co_filename)


@pytest.mark.parametrize(('change', 'words'), [(case[0], case[1:]) for case in RUNS.values()], ids=RUNS)
def test_a_wrong_run_ends_before_its_first_iteration_with_a_sentence(change, words, place, monkeypatch):
    steps = []
    for model in (DynamicMutualTraining, EncoderDecoder):
        monkeypatch.setattr(model, 'train_step', lambda *_, **__: steps.append(1) or {})
    # What takes most of the time of a run that does not run.
    monkeypatch.setattr(Runner, '_log_env', lambda *_: None)
    monkeypatch.setattr('mmengine.dataset.base_dataset.gc.collect', lambda: None)
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda _: None)
    settings = (change(place) if callable(change) else change) or {}
    dropped = {key.split()[1]: settings.pop(key) for key in list(settings) if key.startswith('unset')}
    config = run_config(place.data, place.work_dir, **settings)
    for section, key in dropped.items():
        config[section].pop(key)
    try:
        with pytest.raises((ValueError, FileNotFoundError, RuntimeError)) as error:
            Runner.from_cfg(config).train()
    finally:
        DefaultScope._instance_dict.clear()
    assert raised_in(error.value).is_relative_to(ROOT / 'mmdmt')
    check_sentence(str(error.value), words)
    assert not steps
    assert not (place.data / 'witness').exists()


@pytest.mark.parametrize(('argument', 'change'), UNKNOWN.items(), ids=UNKNOWN)
def test_an_argument_that_is_not_taken_or_lacks_is_named(argument, change, place):
    with pytest.raises(TypeError, match=f"__init__\\(\\) .*'{argument}'"):
        Runner.from_cfg(run_config(place.data, place.work_dir, **change)).train()
    DefaultScope._instance_dict.clear()


SPLITS, EXPORT, COCO = 'make_splits.py', 'export_peer.py', 'model_converters/resnet101_coco.py'
GENERIC = [SPLITS, 'generic', 'shapes', '{data}/images', '{out}', '--img-suffix', '.png']
RUN = ['{data}/config.py', '{data}/run.pth']
COMMANDS = {
    'splits, of nothing': ([SPLITS], 'required'),
    'splits, unknown data set': ([SPLITS, 'voc', '{data}', '{out}'], "invalid choice: 'voc'", 'voc12aug'),
    'splits, VOC elsewhere': ([SPLITS, 'voc12aug', '{data}', '{out}'], 'train.txt does not exist', 'give the folder'),
    'splits, Cityscapes elsewhere': ([SPLITS, 'cityscapes', '{data}', '{out}'], 'leftImg8bit/train holds no file'),
    'splits, no such folder': ([SPLITS, 'generic', 'a', '/no/such', '{out}'], '/no/such holds no file'),
    'splits, other suffix': ([*GENERIC[:-1], '.jpg'], "no file that ends in '.jpg'", 'their suffix'),
    'splits, 1/0': ([*GENERIC, '--denominators', '0'], '1/0 of 20 images', 'give denominators from 1'),
    'splits, 1/100 of 20': ([*GENERIC, '--denominators', '100'], '1/100 of 20 images', 'to the number of images'),
    'splits, a half in words': ([*GENERIC, '--denominators', 'half'], "invalid float value: 'half'"),
    'splits, none at all': ([*GENERIC, '--num-splits', '0'], 'num_splits=0', 'give at least 1'),
    'splits, into the data': ([*GENERIC[:4], '{data}/images/lists', *GENERIC[5:]], 'lies in the data set'),
    'splits, over others': ([*GENERIC, '--denominators', '2'], 'exists with another content', 'choose another folder'),
    'splits, no list': ([*GENERIC, '--list', '/no/such.txt'], '/no/such.txt does not exist', 'one image a line'),
    'splits, empty list': ([*GENERIC, '--list', '{data}/empty.txt'], 'empty.txt names no image'),
    'splits, strange list': (
        [*GENERIC, '--list', '{data}/strange.txt'],
        "'../../etc/x' of the list",
        'missing from the 20',
    ),
    'splits, no masks': ([*GENERIC, '--masks', '{data}/masks'], 'masks/006.png', 'check --masks and --mask-suffix'),
    'report, of nothing': (['report.py'], 'work_dirs'),
    'report, of no run': (['report.py', '{data}'], 'holds no */events.jsonl', 'give the --work-dir'),
    'export, no peer': ([EXPORT, *RUN], '--peer'),
    'export, unknown peer': ([EXPORT, *RUN, '--peer', 'middle'], '--peer middle', "['left', 'right']"),
    'export, no config': ([EXPORT, '/no/such.py', RUN[1], '--peer', 'left'], '/no/such.py', 'does not exist'),
    'export, no checkpoint': ([EXPORT, RUN[0], '/no/such.pth', '--peer', 'left'], '/no/such.pth', 'check the path'),
    'export, damaged': ([EXPORT, RUN[0], '{data}/empty.txt', '--peer', 'left'], 'empty.txt', 'cannot be read safely'),
    'export, of another run': ([EXPORT, *RUN, '--peer', 'right'], "no weights of peer 'right'", 'give one of a run'),
    'export, runs code': ([EXPORT, RUN[0], '{data}/crafted.pth', '--peer', 'left'], 'crafted.pth', 'can run any code'),
    'COCO weights, missing': ([COCO, '/no/such.pth', '{out}/a.pth'], '/no/such.pth', 'give the path'),
    'COCO weights, others': ([COCO, '{data}/run.pth', '{out}/a.pth'], 'has no tensor', 'resnet101COCO-41f33a49.pth'),
    'COCO weights, run code': ([COCO, '{data}/crafted.pth', '{out}/a.pth'], 'crafted.pth', 'read safely'),
    'GTA5, elsewhere': (['dataset_converters/gta.py', '{data}', '{out}'], 'labels', 'does not exist'),
    'SYNTHIA, elsewhere': (['dataset_converters/synthia.py', '{data}', '{out}'], 'does not exist'),
    'Kvasir-SEG, not whole': (['dataset_converters/kvasir_seg.py', '{data}', '{out}'], 'masks', '.jpg'),
    'converter, no process': (['dataset_converters/gta.py', '{data}', '{out}', '--nproc', '0'], '--nproc 0', 'give 1'),
}


@pytest.fixture
def tools_place(place):
    """Files for the command lines to stumble over."""
    init_default_scope('mmseg')
    config = run_config(place.data, place.work_dir)
    config.dump(place.data / 'config.py')
    left = {f'left.{key}': value for key, value in MODELS.build(config.model.peers.left).state_dict().items()}
    DefaultScope._instance_dict.clear()
    torch.save({'state_dict': left, 'meta': {}}, place.data / 'run.pth')
    crafted(place, left)
    (place.data / 'empty.txt').write_text('')
    (place.data / 'strange.txt').write_text('000\n../../etc/x\n')
    other = place.work_dir / 'shapes' / 'split0' / 'labeled_1of2.txt'
    other.parent.mkdir(parents=True)
    other.write_text('mine\n')
    return place


def command_line(arguments, place, monkeypatch, capsys):
    """Run a script as a process would, and return its exit status and the last line that it says."""
    script, *rest = (part.format(data=place.data, out=place.work_dir) for part in arguments)
    path = ROOT / 'tools' / script
    monkeypatch.setattr(sys, 'argv', [str(path), *rest])
    monkeypatch.syspath_prepend(str(path.parent))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name='__main__')
    code = ended.value.code
    return (1, code) if isinstance(code, str) else (code, capsys.readouterr().err.strip().splitlines()[-1])


@pytest.mark.parametrize(('arguments', 'words'), [(case[0], case[1:]) for case in COMMANDS.values()], ids=COMMANDS)
def test_a_wrong_command_line_ends_with_a_sentence(arguments, words, tools_place, monkeypatch, capsys):
    before = sorted(tools_place.work_dir.rglob('*'))
    code, said = command_line(arguments, tools_place, monkeypatch, capsys)
    assert code
    check_sentence(said if said.endswith('.') else f'{said}.', words)
    assert sorted(tools_place.work_dir.rglob('*')) == before
    assert not (tools_place.data / 'witness').exists()


@pytest.mark.process
@pytest.mark.parametrize(
    ('command', 'words'),
    [
        (['bash', 'tools/dist_train.sh'], 'usage: tools/dist_train.sh CONFIG PROCESSES'),
        (['bash', 'tools/dist_test.sh', 'config.py', '2'], 'usage: tools/dist_test.sh CONFIG CHECKPOINT PROCESSES'),
    ],
)
def test_a_launcher_without_its_arguments_says_what_they_are(command, words):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert words in result.stderr


def test_the_crafted_file_would_run_its_code_if_it_were_unpickled(place):
    torch.load(crafted(place), weights_only=False)
    assert (place.data / 'witness').exists()


def test_links_out_of_the_data_are_the_users_own(place):
    (place.data / 'images' / '006.png').rename(place.data.parent / 'elsewhere.png')
    (place.data / 'images' / '006.png').symlink_to(place.data.parent / 'elsewhere.png')
    (place.data / 'unlabeled.txt').write_text('../images/006\n')
    init_default_scope('mmseg')
    dataset = DATASETS.build(run_config(place.data, place.work_dir).train_dataloader.dataset)
    assert dataset.num_unlabeled() == 1
