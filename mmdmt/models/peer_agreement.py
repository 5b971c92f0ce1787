"""Check what peers must agree on to teach each other: their names, their kind, their classes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from mmengine.model import BaseModel

from mmdmt.models.names import ENSEMBLE
from mmdmt.models.peer_kinds import PeerKind, kind_of
from mmdmt.rules.facts import Facts, refuse


def ring(names: Sequence[str]) -> dict[str, str]:
    """Return the labeler of each peer where each learns from the next, and the last from the first."""
    return dict(zip(names, (*names[1:], *names[:1]), strict=True))


def check_names(
    names: Sequence[str],
    taken: Collection[str],
    labelers: Mapping[str, str],
    predict: str,
    load_from: Iterable[str],
) -> None:
    """Check that names can name peers, and that what refers to peers names them.

    Raises:
        ValueError: If a name cannot be used, is none of the peers', or a peer is without a labeler.
    """
    for name in names:
        if not name.isidentifier() or name in taken or name == ENSEMBLE:
            raise ValueError(
                f'peers={list(names)} of DynamicMutualTraining: {name!r} cannot name a peer (not an '
                "identifier, or taken by the model itself): take another, such as 'peer_a'."
            )
    facts, model = Facts(), 'DynamicMutualTraining'
    facts['list of peers'][f'peers of {model}'] = tuple(names)
    named = {'load_from': load_from, 'labelers': (*labelers, *labelers.values()), 'predict': {predict} - {ENSEMBLE}}
    facts['peer'] |= {f'{argument} of {model}': tuple(those) for argument, those in named.items()}
    refuse(facts)
    facts['list of peers'][f'labelers of {model}'] = tuple(name for name in names if name in labelers)
    refuse(facts)


def agreed_kind(peers: Mapping[str, BaseModel]) -> PeerKind:
    """Return the kind of all peers.

    Raises:
        ValueError: If peers are of different kinds, or one of no kind that is known.
    """
    kinds, facts = {name: kind_of(name, peer) for name, peer in peers.items()}, Facts()
    facts['space of labels'] |= {f'peer {name!r}': kind.space for name, kind in kinds.items()}
    refuse(facts)
    return next(iter(kinds.values()))


def agreed_num_classes(kind: PeerKind, peers: Mapping[str, BaseModel]) -> int:
    """Return how many classes every peer predicts.

    Raises:
        ValueError: If they predict different numbers of classes, or one class.
    """
    facts = Facts()
    facts['num_classes'] |= {f'peer {name!r}': kind.num_classes(peer) for name, peer in peers.items()}
    refuse(facts)
    return int(next(iter(facts['num_classes'].values())))
