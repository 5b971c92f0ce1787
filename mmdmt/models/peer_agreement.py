"""Check what peers must agree on to teach each other: their names, their kind, their classes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from mmengine.model import BaseModel

from mmdmt.models.names import ENSEMBLE
from mmdmt.models.peer_kinds import PeerKind, kind_of
from mmdmt.rules.facts import ONE_CLASS_REMEDY


def ring(names: Sequence[str]) -> dict[str, str]:
    """Return the labeler of each peer where each learns from the next, and the last from the first.

    Args:
        names (Sequence[str]): Of the peers, in order.
    """
    return dict(zip(names, (*names[1:], *names[:1]), strict=True))


def check_names(
    names: Sequence[str],
    taken: Collection[str],
    labelers: Mapping[str, str],
    predict: str,
    load_from: Iterable[str],
) -> None:
    """Check that names can name peers, and that what refers to peers names them.

    Args:
        names (Sequence[str]): Of the peers.
        taken (Collection[str]): The names of what the model itself has.
        labelers (Mapping[str, str]): The labeler of each peer.
        predict (str): Whose result is the model's own, a peer's or the ensemble's.
        load_from (Iterable[str]): The peers that start from a checkpoint.

    Raises:
        ValueError: If a name cannot be used, is none of the peers', or a peer is without a labeler.
    """
    for name in names:
        if not name.isidentifier() or name in taken or name == ENSEMBLE:
            raise ValueError(
                f'peers={list(names)} of DynamicMutualTraining: {name!r} cannot name a peer (not an '
                "identifier, or taken by the model itself): take another, such as 'peer_a'."
            )
    without = [name for name in names if name not in labelers]
    if without:
        raise ValueError(
            f'labelers={labelers} of DynamicMutualTraining leaves {without[0]!r} without a labeler: name one '
            'for every peer; it may be the peer itself.'
        )
    for argument, named in (
        ('predict', [predict]),
        ('load_from', list(load_from)),
        ('labelers', [*labelers, *labelers.values()]),
    ):
        for name in named:
            if name not in names and not (argument == 'predict' and name == ENSEMBLE):
                raise ValueError(
                    f'{argument} of DynamicMutualTraining names {name!r}, which is none of the peers {list(names)}.'
                )


def agreed_kind(peers: Mapping[str, BaseModel]) -> PeerKind:
    """Return the kind of all peers.

    Args:
        peers (Mapping[str, BaseModel]): The peers by name, without distributed wrappers.

    Raises:
        ValueError: If peers are of different kinds, or one of no kind that is known.
    """
    kinds = {name: kind_of(name, peer) for name, peer in peers.items()}
    spaces = {name: kind.space for name, kind in kinds.items()}
    if len(set(spaces.values())) != 1:
        raise ValueError(f'Peers label different things, {spaces}, and so cannot teach each other: choose one.')
    return next(iter(kinds.values()))


def agreed_num_classes(kind: PeerKind, peers: Mapping[str, BaseModel]) -> int:
    """Return how many classes every peer predicts.

    Args:
        kind (PeerKind): That of the peers.
        peers (Mapping[str, BaseModel]): The peers by name, without distributed wrappers.

    Raises:
        ValueError: If they predict different numbers of classes, or one class.
    """
    counts = {name: kind.num_classes(peer) for name, peer in peers.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(
            f'Peers predict different numbers of classes, {counts}, and so cannot teach each other: give all heads '
            'the same num_classes.'
        )
    number = next(iter(counts.values()))
    if number < 2:
        raise ValueError(f'num_classes={number} of the heads of all peers: {ONE_CLASS_REMEDY}.')
    return number
