"""Checkpoints: of a run as it was some iterations ago, and of one that has not been trained."""

import shutil

import torch
from mmengine.registry import MODELS

from mmdmt.engine.run_record import RunRecord
from toys.segmentation import CLASSES, run_config


def take_back(work_dir, iteration, copy=None):
    """Copy the checkpoint of an iteration, and the record of the run as it was then; or take back the run itself."""
    copy = copy or work_dir
    copy.mkdir(exist_ok=True)
    if copy != work_dir:
        shutil.copy(work_dir / f'iter_{iteration}.pth', copy)
    record = RunRecord.read(work_dir, work_dir)
    RunRecord(copy, copy, checkpoints=record.checkpoints).begin(record.run, record.settings, iteration)


def untrained_run(root, folder, change=lambda config: None, **content):
    """Write the config of a run of the shapes, and a checkpoint of random weights; return both paths."""
    config = run_config(root, folder / 'run')
    config.test_dataloader = config.val_dataloader
    change(config)
    config.dump(folder / 'config.py')
    model = MODELS.build(config.model)
    for peer in model.bare_peers.values():  # logits of different sizes, so that confidences spread
        torch.nn.init.normal_(peer.decode_head.conv_seg.weight, std=1.0)
    meta = {'dataset_meta': {'classes': CLASSES, 'palette': [[0, 0, 0], [255, 0, 0], [0, 255, 0]]}}
    (folder / 'run').mkdir()
    torch.save({'state_dict': model.state_dict(), 'meta': meta, **content}, folder / 'run' / 'iter_9.pth')
    return folder / 'config.py', folder / 'run' / 'iter_9.pth'
