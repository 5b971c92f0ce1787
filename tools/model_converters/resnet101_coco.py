"""Turn the COCO weights of DeepLab-v2 into a checkpoint of MMSegmentation's ResNet-101 and our DeepLabV2Head.

    python tools/model_converters/resnet101_coco.py resnet101COCO-41f33a49.pth pretrain/resnet101_coco_mmseg.pth

The source is the file that Hung et al., "Adversarial Learning for Semi-Supervised Semantic Segmentation", made of the
Caffe model of DeepLab-v2's authors: 528 tensors, 520 of a ResNet-101 and, as ``layer5.conv2d_list.N``, the weight and
bias of the head's four convolutions. Without ``num_batches_tracked`` of batch norm, which did not exist yet: they are
written as 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of, run

if TYPE_CHECKING:  # torch takes seconds, which a help does not need
    from torch import Tensor

SOURCE_DILATIONS = (6, 12, 18, 24)
"""The dilation of ``layer5.conv2d_list.N``, by N."""

EXPECTED = 'give resnet101COCO-41f33a49.pth, or another DeepLab-v2 on ResNet-101 with the same names'


def load_source(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file of weights, without a prefix that they share."""
    import torch

    if not path.is_file():
        raise FileNotFoundError(f'There is no file {path}: give the path of resnet101COCO-41f33a49.pth.')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises half a dozen types for files that are not its own
        reason = type(error).__name__
        raise ValueError(f'{path} cannot be read safely as a file of tensors ({reason}): {EXPECTED}.') from error
    for name in ('state_dict', 'model'):
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items()
    ):
        raise ValueError(f'{path} holds a {type(content).__name__} that is not tensors by name: {EXPECTED}.')
    head = 'layer5.conv2d_list.0.weight'
    prefix = next((name.removesuffix(head) for name in content if name.endswith(head)), None)
    if prefix is None or f'{prefix}conv1.weight' not in content:
        lacking = head if prefix is None else f'{prefix}conv1.weight'
        raise ValueError(f'{path} has no tensor {lacking} among its {len(content)}: {EXPECTED}.')
    return {name.removeprefix(prefix): value for name, value in content.items()}


def convert(source: Mapping[str, Tensor], dilations: Sequence[int]) -> tuple[dict[str, Tensor], list[str]]:
    """Name the tensors of a DeepLab-v2 as MMSegmentation's ResNet and our head do.

    Returns:
        The tensors by their new names, and the old names that have no place in the network.

    Raises:
        ValueError: If a dilation is unknown or named twice, or tensors of the network lack.
    """
    import torch

    if not dilations or len(set(dilations)) < len(dilations) or not set(dilations) <= set(SOURCE_DILATIONS):
        raise ValueError(
            f'--dilations {" ".join(map(str, dilations))} must be some of those of the COCO weights: '
            f'{", ".join(map(str, SOURCE_DILATIONS))}, each once.'
        )
    wanted = _network_tensors(source['layer5.conv2d_list.0.weight'].shape[0], dilations)
    named = {_new_name(old, dilations): old for old in source}
    taken = {new: old for new, old in named.items() if new in wanted and source[old].shape == wanted[new].shape}
    counts = [new for new in wanted if new.endswith('.num_batches_tracked') and new not in taken]
    lacking = [new for new in wanted if new not in taken and new not in counts]
    if lacking:
        raise ValueError(
            f'The source lacks {len(lacking)} of the {len(lacking) + len(taken)} tensors of a DeepLab-v2 on '
            f'ResNet-101, first {lacking[0]}, so nothing was written: {EXPECTED}.'
        )
    state_dict = {new: source[old] for new, old in taken.items()}
    state_dict |= {new: torch.zeros((), dtype=torch.int64) for new in counts}
    return state_dict, [old for old in source if old not in set(taken.values())]


def _network_tensors(num_classes: int, dilations: Sequence[int]) -> dict[str, Tensor]:
    """The network's tensors by name, without memory."""
    import torch
    from mmseg.models.backbones import ResNet  # mmdmt makes mmseg importable beside mmcv-lite

    from mmdmt.models.decode_heads import DeepLabV2Head

    with torch.device('meta'):
        parts = {'backbone': ResNet(101), 'decode_head': DeepLabV2Head(2048, num_classes, dilations)}
    return {f'{part}.{name}': value for part, module in parts.items() for name, value in module.state_dict().items()}


def _new_name(old: str, dilations: Sequence[int]) -> str:
    if not old.startswith('layer5.'):
        return f'backbone.{old}'
    for number, dilation in enumerate(SOURCE_DILATIONS):
        head = f'layer5.conv2d_list.{number}.'
        if old.startswith(head) and dilation in dilations:
            return f'decode_head.convs.{dilations.index(dilation)}.{old.removeprefix(head)}'
    return old


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = parser_of(__doc__)
    parser.add_argument('source', type=Path, help='resnet101COCO-41f33a49.pth')
    parser.add_argument('destination', type=Path, help='the checkpoint to write')
    parser.add_argument(
        '--dilations',
        type=int,
        nargs='+',
        default=[6, 12],
        help='convolutions of the head to keep, of 6 12 18 24 (default: 6 12, as in the configs of the paper)',
    )
    args = parser.parse_args(argv)
    import torch

    if args.destination.exists():
        raise FileExistsError(f'{args.destination} exists: remove it, or give another destination.')
    state_dict, others = convert(load_source(args.source), args.dilations)
    meta = {
        'source': args.source.name,
        'source_sha256': hashlib.sha256(args.source.read_bytes()).hexdigest(),
        'dilations': args.dilations,
    }
    args.destination.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(args.destination) as unfinished:
        torch.save({'meta': meta, 'state_dict': state_dict}, unfinished)
    print(f'{len(state_dict)} tensors in {args.destination}; {len(others)} of the source have no place there:')
    print('\n'.join(others))


if __name__ == '__main__':
    run(main)
