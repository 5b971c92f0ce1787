"""Read what models, data and metrics say, for the table of rules."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmdmt.rules.facts import Facts


def read_peers(facts: Facts, peers: Mapping[str, Any], kind: Any) -> None:
    """Add what models say.

    Args:
        facts (Facts): Changed in place.
        peers (Mapping[str, BaseModel]): By name; the name of a plain model is empty.
        kind (PeerKind): Theirs.
    """
    for name, peer in peers.items():
        place = f'peer {name!r}' if name else 'the model'
        facts['number of trainable weights'][place] = sum(one.numel() for one in peer.parameters() if one.requires_grad)
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
    """Add what datasets with labels, their transforms and metrics say.

    Args:
        facts (Facts): Changed in place.
        labels (LabelSpace): Of the datasets.
        datasets (Iterable[tuple[str, BaseDataset]]): Plain ones with labels, each with the name of its place; the
            labeled one, if there is one, first.
        metrics (Mapping[str, Iterable[BaseMetric]]): Those of each evaluator, built.

    Raises:
        ValueError: If a dataset ignores a label that no mask can hold.
    """
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
