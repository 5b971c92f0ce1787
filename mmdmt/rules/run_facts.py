"""Read what models, data and metrics say, for the table of rules."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmdmt.registry import type_name
from mmdmt.rules.facts import Facts
from mmdmt.rules.joined_datasets import plain_datasets
from mmdmt.rules.source_files import check_text


def read_loaders(facts: Facts, config: Mapping[str, Any]) -> None:
    """Add what a config says of loops and loaders, and refuse lists that are not text in UTF-8."""
    hooks = config.get('custom_hooks') or ()
    train = config.get('train_cfg') or {}
    if any(type_name(hook) == 'DMTHook' for hook in hooks) and train:
        by_epoch = train.get('by_epoch', type_name(train) == 'EpochBasedTrainLoop')
        facts['train loop']['train_cfg'] = 'EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop'
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name) or {}
        if not loader.get('num_workers'):
            for setting in ('prefetch_factor', 'persistent_workers'):
                facts[setting][f'{name} with num_workers=0'] = loader.get(setting)
        dataset = loader.get('dataset') or {}
        for part in (dataset.get('labeled'), dataset.get('unlabeled')) if 'labeled' in dataset else (dataset,):
            for plain in plain_datasets(part or {}):
                check_text(plain)


def read_trainable(facts: Facts, place: str, peer: Any) -> None:
    """Add how many weights of a model are trained."""
    facts['number of trainable weights'][place] = sum(one.numel() for one in peer.parameters() if one.requires_grad)


def read_peers(facts: Facts, peers: Mapping[str, Any], kind: Any) -> None:
    """Add what models say."""
    for name, peer in peers.items():
        place = f'peer {name!r}' if name else 'the model'
        read_trainable(facts, place, peer)
        facts['num_classes'][f'the heads of {place}'] = kind.num_classes(peer)
        facts['ignore_index'] |= kind.ignored(name, peer)
        cfg = getattr(peer, 'test_cfg', None) or {}
        if cfg.get('mode') == 'slide':
            gap = max(0, *(step - crop for step, crop in zip(cfg['stride'], cfg['crop_size'], strict=True)))
            told = f'test_cfg of {place} (stride={tuple(cfg["stride"])}, crop_size={tuple(cfg["crop_size"])})'
            facts['gap between crops'][told] = gap


def read_data(
    facts: Facts, labels: Any, datasets: Iterable[tuple[str, Any]], metrics: Mapping[str, Iterable[Any]]
) -> None:
    """Add what datasets with labels, their transforms and metrics say."""
    for name, dataset in datasets:
        classes = dataset.metainfo.get('classes')
        if classes is not None:
            facts['list of classes'][name] = tuple(classes) if isinstance(classes, list) else classes
        facts['ignore_index'] |= labels.ignored(name, dataset)
        facts['reduce_zero_label'][name] = bool(getattr(dataset, 'reduce_zero_label', False))
    for place, found in metrics.items():
        for metric in found:
            ignored = getattr(metric, 'ignore_index', None)
            if isinstance(ignored, int) and facts['ignore_index']:
                facts['ignore_index'][f'{type(metric).__name__} of {place}'] = ignored
