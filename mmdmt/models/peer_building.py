"""Build a peer from its config."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError

from mmengine.model import BaseDataPreprocessor
from torch import nn

from mmdmt.registry import MODELS


def build_peer(name: str, config: Any, data_preprocessor: Mapping[str, Any] | None) -> nn.Module:
    """Build a peer as any toolbox would.

    Raises:
        ValueError: If the config makes no model, or one that cannot normalize an image.
    """
    if not hasattr(config, 'get') or config.get('type') is None:
        raise ValueError(f'peers[{name!r}]={config!r} is not a model: give the dict of a model, with its type.')
    if data_preprocessor is not None:
        config = {'data_preprocessor': data_preprocessor, **config}
    try:
        peer: nn.Module = MODELS.build(config)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining cannot be built ({reason}): mend peers[{name!r}]; it must build '
            f'as a model of its own.{_way_out(reason)}'
        ) from error
    if type(getattr(peer, 'data_preprocessor', None)) is BaseDataPreprocessor:
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining has no data_preprocessor, so nothing would normalize its images: '
            "give it one, such as dict(type='SegDataPreProcessor', mean=..., std=..., size=...)."
        )
    return peer


@contextmanager
def naming_the_way_out() -> Iterator[None]:
    """Say what to do where initial weights cannot be fetched.

    Raises:
        RuntimeError: If a file or an address of weights in the config cannot be read in the block.
    """
    try:
        yield
    except OSError as error:
        # MMEngine's own error for a file that is not there has no number, as errors of ours that say what to do.
        theirs = error.errno is not None or isinstance(error, URLError) or 'can not be found' in str(error)
        if not theirs:
            raise
        raise RuntimeError(
            f'Weights that a peer starts from cannot be read ({error}): on a machine without a network, copy the file '
            "there and name it (pretrained='FILE' of the model, or checkpoint='FILE' of the backbone's init_cfg), or "
            'start from random weights with pretrained=None (init_cfg=None).'
        ) from error


def _way_out(reason: str) -> str:
    """Name the setting that helps against what base configs bring along."""
    if 'unexpected keyword argument' in reason:
        return ' If a base config sets that argument, put _delete_=True into the dict that replaces it.'
    if 'pretrained' in reason and 'attribute' not in reason:
        return ' A base config sets pretrained weights for the model, too: set pretrained=None there.'
    return ''
