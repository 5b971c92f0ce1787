"""Build peers, and check what they must agree on to teach each other: names, kind, classes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError

from mmengine.model import BaseDataPreprocessor
from torch import nn

from mmdmt.models.names import ENSEMBLE
from mmdmt.registry import MODELS
from mmdmt.rules.facts import Facts, refuse

WAYS_OUT = {
    'unexpected keyword argument': ' If a base config sets that argument, put _delete_=True into the dict that '
    'replaces it.',
    'set pretrained weight': ' A base config sets pretrained weights for the model, too: set pretrained=None there.',
}
"""Settings that help against what base configs bring along, by what an error says."""


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
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining cannot be built ({reason}): mend peers[{name!r}]; it must build '
            f'as a model of its own.{"".join(way for said, way in WAYS_OUT.items() if said in reason)}'
        ) from error
    if type(getattr(peer, 'data_preprocessor', None)) is BaseDataPreprocessor:
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining has no data_preprocessor, so nothing would normalize its images: '
            "give it one, such as dict(type='SegDataPreProcessor', mean=..., std=..., size=...)."
        )
    return peer


@contextmanager
def naming_the_way_out() -> Iterator[None]:
    """Name the remedy where initial weights cannot be fetched.

    Raises:
        RuntimeError: If a file or an address of weights in the config cannot be read in the block.
    """
    try:
        yield
    except OSError as error:
        # MMEngine's own error for a file that is not there has no number, as errors of ours that name the remedy.
        theirs = error.errno is not None or isinstance(error, URLError) or 'can not be found' in str(error)
        if not theirs:
            raise
        raise RuntimeError(
            f'Weights that a peer starts from cannot be read ({error}): on a machine without a network, copy the file '
            "there and name it (pretrained='FILE' of the model, or checkpoint='FILE' of the backbone's init_cfg), or "
            'start from random weights with pretrained=None (init_cfg=None).'
        ) from error


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
