"""Turn the COCO weights of DeepLab-v2 into a checkpoint of MMSegmentation's ResNet-101 and our DeepLabV2Head.

    python tools/model_converters/resnet101_coco.py resnet101COCO-41f33a49.pth pretrain/resnet101_coco_mmseg.pth

The source is the file that Hung et al., "Adversarial Learning for Semi-Supervised Semantic Segmentation", made of the
Caffe model of DeepLab-v2's authors: 528 tensors, 520 of a ResNet-101 and, as ``layer5.conv2d_list.N``, the weight and
bias of the head's four convolutions. Without ``num_batches_tracked`` of batch norm, which did not exist yet: they are
written as 0.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of, run

if TYPE_CHECKING:  # torch takes seconds, which a help does not need
    from torch import Tensor

SOURCE_DILATIONS = (6, 12, 18, 24)
"""The dilation of ``layer5.conv2d_list.N``, by N."""

EXPECTED = 'give resnet101COCO-41f33a49.pth, or another DeepLab-v2 on ResNet-101 with the same names'


@dataclass(frozen=True)
class Conversion:
    """What became of every tensor.

    Attributes:
        state_dict (dict[str, Tensor]): The weights under their new names.
        matched (dict[str, str]): New name of every tensor taken, by its old one.
        missing (list[str]): New names that the source has nothing for.
        unmatched (list[str]): Old names that were not taken, with the reason.
    """

    state_dict: dict[str, Tensor]
    matched: dict[str, str]
    missing: list[str]
    unmatched: list[str]

    def report(self) -> str:
        """Return the counts, then every name."""
        lines = [f'matched {len(self.matched)}, missing {len(self.missing)}, unmatched {len(self.unmatched)}']
        lines += [f'matched    {old} -> {new}' for old, new in self.matched.items()]
        lines += [f'missing    {new}{" (written as 0)" if new in self.state_dict else ""}' for new in self.missing]
        lines += [f'unmatched  {old}' for old in self.unmatched]
        return '\n'.join(lines)

    def unfilled(self) -> list[str]:
        """Return the missing names but for those that are written as 0."""
        return [new for new in self.missing if new not in self.state_dict]


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


def convert(source: Mapping[str, Tensor], dilations: Sequence[int]) -> Conversion:
    """Name the tensors of a DeepLab-v2 as MMSegmentation's ResNet and our head do."""
    import torch

    _check_dilations(dilations)
    wanted = _network_tensors(source['layer5.conv2d_list.0.weight'].shape[0], dilations)
    state_dict, matched, unmatched = {}, {}, []
    for old, value in source.items():
        new = _new_name(old, dilations)
        if new not in wanted:
            unmatched.append(f'{old} (no place in the network)')
        elif value.shape != wanted[new].shape:
            unmatched.append(f'{old} ({tuple(value.shape)} for {tuple(wanted[new].shape)})')
        else:
            state_dict[new], matched[old] = value, new
    missing = [new for new in wanted if new not in state_dict]
    state_dict |= {new: torch.zeros((), dtype=torch.int64) for new in missing if new.endswith('.num_batches_tracked')}
    return Conversion(state_dict, matched, missing, unmatched)


def _check_dilations(dilations: Sequence[int]) -> None:
    if not dilations or len(set(dilations)) < len(dilations) or not set(dilations) <= set(SOURCE_DILATIONS):
        raise ValueError(
            f'--dilations {" ".join(map(str, dilations))} must be some of those of the COCO weights: '
            f'{", ".join(map(str, SOURCE_DILATIONS))}, each once.'
        )


def _network_tensors(num_classes: int, dilations: Sequence[int]) -> dict[str, Tensor]:
    """The network's tensors by name, without memory."""
    import torch
    from mmseg.models.backbones import ResNet  # mmdmt makes mmseg importable beside mmcv-lite

    from mmdmt.models.decode_heads import DeepLabV2Head

    with torch.device('meta'):
        parts = {'backbone': ResNet(101), 'decode_head': DeepLabV2Head(2048, num_classes, dilations)}
    return {f'{part}.{name}': value for part, module in parts.items() for name, value in module.state_dict().items()}


def _new_name(old: str, dilations: Sequence[int]) -> str | None:
    if not old.startswith('layer5.'):
        return f'backbone.{old}'
    for number, dilation in enumerate(SOURCE_DILATIONS):
        head = f'layer5.conv2d_list.{number}.'
        if old.startswith(head) and dilation in dilations:
            return f'decode_head.convs.{dilations.index(dilation)}.{old.removeprefix(head)}'
    return None


def write_checkpoint(path: Path, checkpoint: dict[str, Any]) -> bool:
    """Write a checkpoint, whole or not at all; return whether the same file was not there already."""
    import torch

    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    content = buffer.getvalue()
    if path.exists():
        if path.is_file() and path.read_bytes() == content:
            return False
        raise FileExistsError(f'{path} exists and is something else: remove it, or give another destination.')
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(content)
    return True


def convert_file(source: Path, destination: Path, dilations: Sequence[int]) -> None:
    """Convert one file into another and print the report."""
    conversion = convert(load_source(source), dilations)
    print(conversion.report())
    unfilled = conversion.unfilled()
    if unfilled:
        raise ValueError(
            f'{source} lacks {len(unfilled)} of the {len(unfilled) + len(conversion.matched)} tensors of a DeepLab-v2 '
            f'on ResNet-101, first {unfilled[0]}, so nothing was written: {EXPECTED}.'
        )
    meta = {
        'source': source.name,
        'source_sha256': hashlib.sha256(source.read_bytes()).hexdigest(),
        'dilations': list(dilations),
    }
    written = write_checkpoint(destination, {'meta': meta, 'state_dict': conversion.state_dict})
    print(f'{"wrote" if written else "unchanged:"} {destination}')


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
    convert_file(args.source, args.destination, args.dilations)


if __name__ == '__main__':
    run(main)
