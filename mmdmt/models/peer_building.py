"""Build peers, and check what they must agree on to teach each other: names, kind, classes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mmengine.model import BaseDataPreprocessor
from torch import nn

from mmdmt.models.names import ENSEMBLE
from mmdmt.registry import MODELS
from mmdmt.rules.facts import Facts, refuse


def build_peer(name: str, config: Any, data_preprocessor: Mapping[str, Any] | None) -> nn.Module:
    """Build a peer as any toolbox would.

    Raises:
        ValueError: If the config makes no model, or one that cannot normalize an image.
    """
    if not hasattr(config, 'get') or config.get('type') is None:
        raise ValueError(f'peers[{name!r}]={config!r} makes no model: give the dict of a model, with its type.')
    if data_preprocessor is not None:
        config = {'data_preprocessor': data_preprocessor, **config}
    try:
        peer: nn.Module = MODELS.build(config)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining cannot be built ({" ".join(str(error).split())}): mend '
            f'peers[{name!r}]; it must build as a model of its own.'
        ) from error
    if type(getattr(peer, 'data_preprocessor', None)) is BaseDataPreprocessor:
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining has no data_preprocessor, so nothing would normalize its images: '
            "give it one, such as dict(type='SegDataPreProcessor', mean=..., std=..., size=...)."
        )
    return peer


def names_of(peers: Any) -> tuple[str, ...]:
    """Return the names of peers; ValueError if there are none."""
    if not peers or not hasattr(peers, 'items'):
        raise ValueError(
            f'peers of DynamicMutualTraining is a {type(peers).__name__} that names no peer: give at least one model '
            'by its name, peers=dict(left=..., right=...).'
        )
    return tuple(peers)


def check_names(
    names: Sequence[str], taken: Collection[str], labelers: Mapping[str, str], predict: str, load_from: Iterable[str]
) -> None:
    """Check that names can name peers, and that what refers to peers names them.

    Raises:
        ValueError: If a name cannot be used or names no peer, or a peer is without a labeler.
    """
    for name in names:
        if not name.isidentifier() or name in taken or name == ENSEMBLE:
            raise ValueError(
                f'peers={list(names)} of DynamicMutualTraining: {name!r} cannot name a peer; names are identifiers '
                "that the model does not use itself, such as 'peer_a'."
            )
    facts, model = Facts(), 'DynamicMutualTraining'
    facts['list of peers'][f'peers of {model}'] = tuple(names)
    named = {'load_from': load_from, 'labelers': (*labelers, *labelers.values()), 'predict': {predict} - {ENSEMBLE}}
    facts['peer'] |= {f'{argument} of {model}': tuple(those) for argument, those in named.items()}
    refuse(facts)
    facts['list of peers'][f'labelers of {model}'] = tuple(name for name in names if name in labelers)
    refuse(facts)


def agreed(fact: str, of_peers: Mapping[str, Any]) -> Any:
    """Return the value of a fact in which all peers agree.

    Raises:
        ValueError: If they do not, or the value breaks a rule.
    """
    facts = Facts()
    facts[fact] |= {f'peer {name!r}': value for name, value in of_peers.items()}
    refuse(facts)
    return next(iter(of_peers.values()))
