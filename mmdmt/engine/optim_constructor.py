"""Build one optimizer for each peer from one ordinary config."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from torch import nn

from mmdmt.registry import OPTIM_WRAPPER_CONSTRUCTORS, type_name
from mmdmt.rules.facts import Facts, refuse
from mmdmt.rules.run_facts import read_trainable


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PeerOptimWrapperConstructor:
    """Build an optimizer wrapper for every peer of :class:`mmdmt.DynamicMutualTraining`.

    All that stands in ``optim_wrapper`` of an ordinary schedule holds for every peer; ``peers`` changes it for one::

        optim_wrapper = dict(
            type='OptimWrapper', constructor='mmdmt.PeerOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
            peers=dict(vit=dict(optimizer=dict(_delete_=True, type='AdamW', lr=6e-5),
                                constructor='LearningRateDecayOptimizerConstructor')))

    Args:
        optim_wrapper_cfg (dict): Config of an optimizer wrapper, with ``peers``: what is different for some by name.
        paramwise_cfg (dict, optional): As in MMEngine, for every peer. Defaults to None.
    """

    def __init__(self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None) -> None:
        config = dict(optim_wrapper_cfg)
        self.overrides = dict(config.pop('peers', None) or {})
        if paramwise_cfg is not None:
            config['paramwise_cfg'] = paramwise_cfg
        self.config = config

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the optimizer wrappers.

        Args:
            model (nn.Module): A :class:`mmdmt.DynamicMutualTraining`, in its distributed wrapper or not.

        Returns:
            OptimWrapperDict: One wrapper for each peer, by name.

        Raises:
            ValueError: If the model has no peers, ``peers`` names one that it has not, or an optimizer cannot be built.
        """
        bare = getattr(model, 'module', model) if is_model_wrapper(model) else model
        peers = getattr(bare, 'bare_peers', None)
        if peers is None:
            raise ValueError(
                f'optim_wrapper.constructor=mmdmt.PeerOptimWrapperConstructor got a {type(bare).__name__}, which has '
                'no peers: drop the constructor, or wrap the model in mmdmt.DynamicMutualTraining.'
            )
        unknown = sorted(set(self.overrides) - set(peers))
        if unknown:
            raise ValueError(f'optim_wrapper.peers names {unknown}, but the peers of the model are {list(peers)}.')
        return OptimWrapperDict(**{name: self._build(name, peer) for name, peer in peers.items()})

    def _build(self, name: str, peer: nn.Module) -> OptimWrapper:
        facts = Facts()
        read_trainable(facts, f'peer {name!r}', peer)
        refuse(facts)
        config = Config({'optim_wrapper': self.config})
        config.merge_from_dict({'optim_wrapper': self.overrides.get(name, {})})
        try:
            return build_optim_wrapper(peer, config.optim_wrapper.to_dict())
        except (AssertionError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError) as error:
            optimizer = type_name(config.optim_wrapper.get('optimizer', {}))
            backbone = type(getattr(peer, 'backbone', None)).__name__
            reason = ' '.join(f'{type(error).__name__}: {error}'.split()).rstrip(': ')
            raise ValueError(
                f'optim_wrapper of peer {name!r} cannot be built with {optimizer} for {backbone} ({reason}): mend its '
                'type, optimizer, constructor or paramwise_cfg.'
            ) from error
