"""Build a peer from its config."""

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseDataPreprocessor
from torch import nn

from mmdmt.registry import MODELS


def build_peer(name: str, config: Any, data_preprocessor: Mapping[str, Any] | None) -> nn.Module:
    """Build a peer as any toolbox would.

    Args:
        name (str): Of the peer.
        config (dict): Of a model of the toolbox.
        data_preprocessor (dict, optional): For a peer whose config has none.

    Returns:
        nn.Module: The model.

    Raises:
        ValueError: If the config makes no model, or one that cannot normalize an image.
    """
    if not hasattr(config, 'get') or config.get('type') is None:
        raise ValueError(f'peers[{name!r}]={config!r} is no model: give the dict of a model, with its type.')
    if data_preprocessor is not None:
        config = {'data_preprocessor': data_preprocessor, **config}
    try:
        peer: nn.Module = MODELS.build(config)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining cannot be built ({reason}): mend peers[{name!r}]; it must build '
            'as a model of its own.'
        ) from error
    if type(getattr(peer, 'data_preprocessor', None)) is BaseDataPreprocessor:
        raise ValueError(
            f'Peer {name!r} of DynamicMutualTraining has no data_preprocessor, so nothing would normalize its images: '
            "give it one, such as dict(type='SegDataPreProcessor', mean=..., std=..., size=...)."
        )
    return peer
