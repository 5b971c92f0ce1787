"""Where a segmentor computes its pixel cross entropy, and our loss in that place."""

from typing import Any

from torch import nn

from mmdmt.models.losses import DynamicMutualLoss
from mmdmt.registry import MODELS

HEADS = ('decode_head', 'auxiliary_head')
SUPPORTED = (
    'DMT weighs pixels, so every decode and auxiliary head must be a BaseDecodeHead whose only loss is '
    'CrossEntropyLoss with a softmax, without class weights (as in FCN, PSPNet, DeepLabV3+, UPerNet, OCRNet, '
    'SegFormer)'
)


def place_loss(peer: str, segmentor: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
    """Put a :class:`DynamicMutualLoss` in place of the pixel cross entropy of every head of a segmentor.

    Each head keeps the weight that its own loss had (0.4 in many auxiliary heads).

    Args:
        peer (str): Name of the peer, for the error messages.
        segmentor (nn.Module): An MMSegmentation segmentor; changed in place.
        loss (dict): Config of the loss, ``type='mmdmt.DynamicMutualLoss'`` with its exponents.

    Returns:
        list[DynamicMutualLoss]: The losses put in, that of the main (last) decode head first.

    Raises:
        ValueError: If a head computes anything but a pixel cross entropy, naming peer, head and loss.
    """
    heads = _heads(segmentor)
    if not heads:
        raise ValueError(
            f'Peer {peer!r} is a {type(segmentor).__name__}, which has no decode_head: {SUPPORTED}; give an '
            'EncoderDecoder or CascadeEncoderDecoder.'
        )
    placed = []
    for name, head in heads.items():
        where = f'{name} ({type(head).__name__}) of peer {peer!r}'
        _check_head(where, head)
        own = _the_only_loss(where, head)
        placed_loss = MODELS.build({**loss, 'loss_weight': own.loss_weight * loss.get('loss_weight', 1.0)})
        if not isinstance(placed_loss, DynamicMutualLoss):
            raise ValueError(
                f'loss=dict(type={loss["type"]!r}) of DynamicMutualTraining is a {type(placed_loss).__name__}: give '
                "type='mmdmt.DynamicMutualLoss' or a subclass of it."
            )
        head.loss_decode = placed_loss
        placed.append(placed_loss)
    return placed


def num_classes(segmentor: nn.Module) -> int:
    """Return the number of classes that a segmentor's main decode head predicts."""
    main_head: Any = next(iter(_heads(segmentor).values()))
    return int(main_head.num_classes)


def _heads(segmentor: nn.Module) -> dict[str, nn.Module]:
    """All heads by name, the main one first: a cascade's last decode head is the one that predicts."""
    heads: dict[str, nn.Module] = {}
    for name in HEADS:
        head = getattr(segmentor, name, None)
        if isinstance(head, nn.ModuleList):
            members = [(f'{name}[{i}]', member) for i, member in enumerate(head)]
            heads.update(reversed(members) if name == 'decode_head' else members)
        elif head is not None:
            heads[name] = head
    return heads


def _check_head(where: str, head: nn.Module) -> None:
    # Imported here, because classification needs no MMSegmentation.
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead

    if not isinstance(head, BaseDecodeHead):
        raise ValueError(f'The {where} predicts no pixel logits (a query-based head?): {SUPPORTED}.')
    if head.out_channels != head.num_classes:
        raise ValueError(
            f'The {where} predicts {head.num_classes} classes with out_channels={head.out_channels} (a sigmoid): '
            f'{SUPPORTED}; for two classes set num_classes=2, out_channels=2.'
        )


def _the_only_loss(where: str, head: nn.Module) -> nn.Module:
    from mmseg.models.losses import CrossEntropyLoss

    losses = list(head.loss_decode) if isinstance(head.loss_decode, nn.ModuleList) else [head.loss_decode]
    if len(losses) != 1:
        names = ', '.join(type(loss).__name__ for loss in losses)
        raise ValueError(
            f'The {where} adds up {len(losses)} losses ({names}), of which DMT can weigh one: {SUPPORTED}.'
        )
    (loss,) = losses
    if isinstance(loss, DynamicMutualLoss):
        return loss
    if not isinstance(loss, CrossEntropyLoss) or loss.use_sigmoid or loss.use_mask:
        raise ValueError(f'The {where} computes {loss}, no softmax cross entropy of pixels: {SUPPORTED}.')
    if loss.class_weight is not None:
        raise ValueError(f'The {where} has class_weight={loss.class_weight}: {SUPPORTED}; drop class_weight.')
    return loss
