"""Estimate how long a run will take, from a few steps of it."""

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.registry import DATASETS, HOOKS, MODELS, init_default_scope
from mmengine.structures import PixelData

from mmdmt.apis.inference import check_segments
from mmdmt.engine.dmt_hook import DMTHook


def estimate(config: Path) -> str:
    """Try the iterations, labelings and validations of a run with segmentors, and lay out how long all of them take."""
    cfg = Config.fromfile(config)
    MMLogger.get_current_instance().setLevel(logging.WARNING)  # networks tell their sizes as they are built
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    hooks = (HOOKS.build(hook) for hook in cfg.custom_hooks if hook['type'].rpartition('.')[2] == 'DMTHook')
    curriculum = next(hook for hook in hooks if isinstance(hook, DMTHook)).curriculum
    loader = cfg.train_dataloader
    labeled, unlabeled = (DATASETS.build(loader.dataset[name]) for name in ('labeled', 'unlabeled'))
    val = DATASETS.build(cfg.val_dataloader.dataset)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # training says the same
        model = MODELS.build(cfg.model).to(get_device())
    check_segments(model, 'An estimate')
    load = _seconds(lambda: labeled[0]) * loader.batch_size * len(model.bare_peers) / max(1, loader.num_workers)
    iteration = max(load, sum(_train_seconds(peer, loader.batch_size) for peer in model.bare_peers.values()))
    item = val[0]
    with torch.no_grad():
        predict = _seconds(lambda: model.eval().val_step(pseudo_collate([item])))
    iterations, every = curriculum.total_iters, cfg.train_cfg.get('val_interval', 1000)
    labelings = sum(phase.has_bank for phase in curriculum.phases)
    validations = len({*range(every, iterations + 1, every), *curriculum.ends})
    parts = {
        f'{iterations} iterations of {iteration:.2g} s': iterations * iteration,
        f'{labelings} labelings of {len(unlabeled)} images': labelings * len(unlabeled) * predict,
        f'{validations} validations of {len(val)} images': validations * len(val) * predict,
    }
    lines = [f'estimate, from three steps on {get_device()} with {torch.get_num_threads()} threads:']
    parts['in all'] = sum(parts.values())
    return '\n'.join([*lines, *(f'  {_duration(seconds):>10}  {what}' for what, seconds in parts.items())])


def _seconds(step: Callable[[], Any]) -> float:
    """Time a step, the second time that it is done."""
    for _ in range(2):
        started = time.perf_counter()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    return time.perf_counter() - started


def _train_seconds(peer: Any, batch_size: int) -> float:
    """Time a peer's forward and backward pass of made-up crops."""
    from mmseg.structures import SegDataSample

    height, width = peer.data_preprocessor.size

    def step() -> None:
        samples = [SegDataSample() for _ in range(batch_size)]
        for sample in samples:
            sample.gt_sem_seg = PixelData(data=torch.zeros(1, height, width, dtype=torch.long))
        images = [torch.zeros(3, height, width, dtype=torch.uint8) for _ in samples]
        batch = peer.data_preprocessor({'inputs': images, 'data_samples': samples}, True)
        loss, _ = peer.parse_losses(peer(**batch, mode='loss'))
        loss.backward()
        peer.zero_grad()

    peer.train()
    return _seconds(step)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'
