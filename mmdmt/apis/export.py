"""Export a peer as an ordinary segmentor or classifier: a config and weights that load without mmdmt."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from mmdmt.apis.inference import inference_pipeline
from mmdmt.models.peer_building import build_peer
from mmdmt.models.weights import check_sound
from mmdmt.registry import type_name, with_named_types

#: Loaders of ours that plain configs have arrays in place of.
_ARRAYS = ('LoadNpyImage', 'LoadTiffImage')
_KEPT = (
    *('default_scope', 'env_cfg', 'vis_backends', 'visualizer', 'log_processor', 'log_level'),
    *('test_dataloader', 'test_evaluator', 'test_cfg', 'tta_model', 'tta_pipeline'),
)


def export_peer(config: Config, checkpoint: Mapping[str, Any], peer: str) -> tuple[Config, dict[str, Any]]:
    """Turn one peer of a run into a plain config and checkpoint of MMSegmentation or MMPretrain.

    Args:
        config: Of the run.
        checkpoint: Of the run, as ``torch.load`` gives it.
        peer: Name of the peer.

    Returns:
        A config with ``model``, ``test_pipeline`` and what else testing needs (of test data of our own types the
        pipeline alone), and a checkpoint with ``state_dict`` and ``meta``. The config of a :class:`mmdmt.WideResNet`,
        which has no plain counterpart, imports mmdmt.

    Raises:
        ValueError: If there is no such peer, the weights do not fit, or something of ours has no plain counterpart.
    """
    peers = config.get('model', {}).get('peers', {})
    if peer not in peers:
        raise ValueError(f'--peer {peer}: give one of the peers of this config, {sorted(peers)}.')
    weights: Mapping[str, Tensor] = checkpoint.get('state_dict', {})
    state = {key[len(peer) + 1 :]: value for key, value in weights.items() if key.startswith(f'{peer}.')}
    if not state:
        raise ValueError(f'The checkpoint has no weights of peer {peer!r}: give one of a run with this config.')
    _check_fit(config, peer, state)
    settings = with_named_types(config.to_dict())
    model = copy.deepcopy(settings['model']['peers'][peer])
    model.setdefault('data_preprocessor', settings.get('data_preprocessor'))
    _forget_initial_weights(model)
    segments = 'decode_head' in model
    if segments and model['decode_head'].get('type') == 'mmdmt.DeepLabV2Head':
        model['decode_head'], state = _as_aspp(model['decode_head'], state)
    plain = {key: settings[key] for key in _KEPT if key in settings}
    if plain.get('test_evaluator', {}).get('type') == 'mmdmt.PeerMetric':
        plain['test_evaluator'] = plain['test_evaluator']['metric']
    tta = plain.get('tta_model')
    if tta and tta.get('type') == 'mmdmt.PeerTTAModel':
        tta['type'] = 'SegTTAModel' if segments else 'AverageClsScoreTTA'
    # Arrays are given elsewhere, in place of their files.
    given = {'type': 'LoadImageFromNDArray', 'to_float32': True}
    steps = with_named_types(inference_pipeline(config))
    pipeline = [given if type_name(step) in _ARRAYS else step for step in steps]
    if not plain.get('test_dataloader') or _is_ours(plain['test_dataloader']):
        # What cannot be tested elsewhere can be used there: inferencers take the pipeline from this place.
        plain['test_dataloader'] = {'dataset': {'pipeline': pipeline}}
        for key in ('test_evaluator', 'test_cfg'):
            plain.pop(key, None)
    visualizer = 'SegLocalVisualizer' if segments else 'UniversalVisualizer'
    plain.setdefault('visualizer', {'type': visualizer, 'vis_backends': [{'type': 'LocalVisBackend'}]})
    plain.update(model=model, test_pipeline=pipeline)
    if model['backbone']['type'] == 'mmdmt.WideResNet':
        plain['custom_imports'] = {'imports': ['mmdmt'], 'allow_failed_imports': False}
    elif _is_ours(plain):
        raise ValueError(f'Peer {peer!r} needs something of mmdmt that has no plain counterpart: {_is_ours(plain)}.')
    written = checkpoint.get('meta', {})
    meta = {key: written[key] for key in ('dataset_meta', 'iter', 'seed') if key in written}
    return Config(plain), {'state_dict': state, 'meta': {**meta, 'exported_from_peer': peer}}


def cures_for_elsewhere() -> str:
    """Return the text of a module that, imported first, does what ``import mmdmt`` does for newer packages."""
    return f'{Path(__file__).parents[1].joinpath("compat.py").read_text(encoding="utf-8")}\n\napply()\n'


def _check_fit(config: Config, peer: str, state: Mapping[str, Tensor]) -> None:
    """Check that the weights are all those of the network that the config describes, and no others."""
    init_default_scope(config.get('default_scope', 'mmseg'))
    settings = copy.deepcopy(config.to_dict()['model']['peers'][peer])
    _forget_initial_weights(settings)
    wanted = build_peer(peer, settings, config.get('data_preprocessor')).state_dict()
    # Old checkpoints of torch do not count batches, and nothing that predicts needs the number.
    unfit = [key for key in wanted if key not in state and not key.endswith('num_batches_tracked')]
    unfit += [key for key, value in state.items() if key not in wanted or wanted[key].shape != value.shape]
    if unfit:
        raise ValueError(
            f'The checkpoint does not fit peer {peer!r} of this config: {len(unfit)} tensors are missing, of another '
            f'shape or of another network, first {unfit[0]}. Give the config and a checkpoint of one run.'
        )
    check_sound(state, wanted, 'The checkpoint', f'as far as it is of peer {peer!r}')


def _forget_initial_weights(config: Any) -> None:
    """Drop the weights that a network starts from: it gets those of the checkpoint."""
    for value in config.values() if isinstance(config, dict) else config:
        if isinstance(value, dict | list):
            _forget_initial_weights(value)
    if isinstance(config, dict):
        config.pop('pretrained', None)
        config.pop('init_cfg', None)


def _is_ours(config: Any) -> str | None:
    """Return the first of our types in a config."""
    if isinstance(config, dict):
        config = config.values()
    elif not isinstance(config, list | tuple):
        return config if isinstance(config, str) and config.startswith('mmdmt.') else None
    return next(filter(None, map(_is_ours, config)), None)


def _as_aspp(head: dict[str, Any], state: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Turn the sum of dilated convolutions into MMSegmentation's ASPPHead, which computes the same, to the bit.

    Its image pooling gets weight zero; the convolution over all branches, whose center is an identity, adds them up.
    """
    classes, dilations = head['num_classes'], tuple(head.get('dilations', (6, 12, 18, 24)))
    aspp = {'type': 'ASPPHead', 'channels': classes, 'dilations': dilations}
    aspp |= {'dropout_ratio': 0, 'norm_cfg': None, 'act_cfg': None}
    identity, nothing = torch.eye(classes), torch.zeros(classes)
    bottleneck = torch.zeros(classes, (len(dilations) + 1) * classes, 3, 3)
    bottleneck[:, classes:, 1, 1] = identity.repeat(1, len(dilations))
    plain = {
        'image_pool.1.conv.weight': torch.zeros(classes, head['in_channels'], 1, 1),
        'image_pool.1.conv.bias': nothing,
        'bottleneck.conv.weight': bottleneck,
        'bottleneck.conv.bias': nothing,
        'conv_seg.weight': identity.reshape(classes, classes, 1, 1),
        'conv_seg.bias': nothing,
    }
    for number in range(len(dilations)):
        for part in ('weight', 'bias'):
            plain[f'aspp_modules.{number}.conv.{part}'] = state[f'decode_head.convs.{number}.{part}']
    rest = {key: value for key, value in state.items() if not key.startswith('decode_head.')}
    return {**head, **aspp}, {**rest, **{f'decode_head.{key}': value for key, value in plain.items()}}
