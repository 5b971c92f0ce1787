"""Train MMSegmentation's segmentors as peers, with our loss in place of their cross entropy."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement, PixelData
from mmseg.models.decode_heads import PointHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.mixing import Batch
from mmdmt.method.weights import GROUND_TRUTH
from mmdmt.mixes import Mix, mix_all
from mmdmt.models.peer_kinds import loss_in_place_of
from mmdmt.models.prediction import Predicted, forward, forward_crops, in_order

SUPPORTED = (
    'DMT weighs pixels, so every decode and auxiliary head must be a BaseDecodeHead whose only loss is '
    'CrossEntropyLoss with a softmax, of every pixel (as in FCN, PSPNet, DeepLabV3+, UPerNet, OCRNet, '
    'SegFormer, K-Net)'
)


class Segmentors:
    """MMSegmentation's segmentors as peers; see :class:`~mmdmt.models.peer_kinds.PeerKind`."""

    space = 'pixels'
    predicted: tuple[str, ...] = ('pred_sem_seg', 'seg_logits')

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
        placed = []
        for part, head in _heads(peer).items():
            where = f'{part} ({type(head).__name__}) of peer {name!r}'
            holder = _head_with_loss(where, head)
            own = holder.loss_decode
            losses = list(own) if isinstance(own, nn.ModuleList) else [own]
            if len(losses) != 1:
                names = ', '.join(type(one).__name__ for one in losses)
                raise ValueError(f'The {where} adds up {len(losses)} losses ({names}): {SUPPORTED}.')
            # A head keeps its class weights.
            config = {'class_weight': getattr(losses[0], 'class_weight', None), **loss}
            placed.append(loss_in_place_of(losses[0], CrossEntropyLoss, config, holder.num_classes, where, SUPPORTED))
            placed[-1].ignore_index = head.ignore_index
            holder.loss_decode = placed[-1]
        return placed

    def num_classes(self, peer: nn.Module) -> int:
        return int(next(iter(_heads(peer).values())).num_classes)

    def ignored(self, name: str, peer: BaseModel) -> dict[str, int]:
        found = {f'{part} of peer {name!r}': int(head.ignore_index) for part, head in _heads(peer).items()}
        pads = getattr(peer.data_preprocessor, 'seg_pad_val', None)
        return found if pads is None else {**found, f'seg_pad_val of the data_preprocessor of peer {name!r}': int(pads)}

    def losses(
        self,
        peer: nn.Module,
        bare: BaseModel,
        data: dict[str, Any],
        placed: list[DynamicMutualLoss],
        mixes: Sequence[Mix],
    ) -> dict[str, Tensor]:
        batch = bare.data_preprocessor(data, True)
        samples = batch['data_samples']
        pseudo = [number for number, sample in enumerate(samples) if 'pseudo_confidence' in sample]
        if not pseudo:
            plain: dict[str, Tensor] = peer(**batch, mode='loss')
            return plain
        label = torch.stack([sample.gt_sem_seg.data[0] for sample in samples])
        weights = stack_maps(samples, 'pseudo_weight', 1.0) if 'pseudo_weight' in samples[pseudo[0]] else None
        mixed = Batch(batch['inputs'], label, stack_maps(samples, 'pseudo_confidence', GROUND_TRUTH), weights)
        if mixes:
            mixed = mix_all(mixed, mixes, pseudo, self.num_classes(bare))
            for sample, one in zip(samples, mixed.label, strict=True):
                sample.gt_sem_seg = PixelData(data=one.unsqueeze(0))
        with ExitStack() as stack:
            for loss in placed:
                stack.enter_context(loss.pseudo_targets(mixed.confidence, mixed.weight))
            losses: dict[str, Tensor] = peer(mixed.inputs, samples, mode='loss')
        return losses

    def predict_views(self, peer: BaseModel, views: Sequence[Tensor]) -> Tensor:
        shapes = [tuple(view.shape[1:]) for view in views]
        metas = [SegDataSample(metainfo={'img_shape': shape, 'ori_shape': shape}) for shape in shapes]
        predicted = in_order(
            one._replace(logits=one.logits.softmax(dim=1, dtype=torch.float32))
            for one in forward_crops(peer, {'inputs': list(views), 'data_samples': metas})
        )
        return torch.cat([one.flatten(1) for one in predicted], dim=1)

    def wanted(self, samples: Sequence[Any], ignored: int) -> Tensor:
        # Padding and margins are ignored already.
        return torch.cat([sample.gt_sem_seg.data.flatten() for sample in samples]) != ignored

    def teach(self, samples: Sequence[Any], label: Tensor, confidence: Tensor, weights: Tensor | None) -> None:
        shapes = [sample.gt_sem_seg.data.shape for sample in samples]
        rows = {'gt_sem_seg': label, 'pseudo_confidence': confidence, 'pseudo_weight': weights}
        for name, row in rows.items():
            if row is not None:
                for sample, shape, one in zip(samples, shapes, row.split([s.numel() for s in shapes]), strict=True):
                    sample.set_field(PixelData(data=one.view(shape)), name)

    def predict(self, peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
        return forward(peer, data)

    def average(self, views: Sequence[Any]) -> BaseDataElement:
        mean = sum(sample.seg_logits.data.float().softmax(dim=0) for sample in views) / len(views)
        averaged: BaseDataElement = views[0].new()
        # The smallest normal float keeps log(0) finite.
        averaged.seg_logits = PixelData(data=mean.clamp(min=torch.finfo(mean.dtype).tiny).log())
        averaged.pred_sem_seg = PixelData(data=mean.argmax(dim=0, keepdim=True))
        return averaged


def stack_maps(data_samples: Sequence[BaseDataElement], name: str, of_truth: float) -> Tensor:
    """Stack maps of the samples, (1, h, w) where the label is a pseudo label, to the size of their labels.

    Returns:
        Tensor: (N, H, W) float32; ``of_truth`` where the label is ground truth, 0 outside of a map.
    """
    label = data_samples[0].gt_sem_seg.data[0]
    stacked = torch.full((len(data_samples), *label.shape), of_truth, device=label.device)
    for i, sample in enumerate(data_samples):
        if name in sample:
            height, width = sample.get(name).shape
            stacked[i] = 0  # padding is never a label, nor ground truth
            stacked[i, :height, :width] = sample.get(name).data[0]
    return stacked


def _heads(segmentor: nn.Module) -> dict[str, Any]:
    """All heads by name, the main one first: a cascade's last decode head is the one that predicts."""
    heads: dict[str, Any] = {}
    for name in ('decode_head', 'auxiliary_head'):
        head = getattr(segmentor, name, None)
        if isinstance(head, nn.ModuleList):
            members = [(f'{name}[{i}]', member) for i, member in enumerate(head)]
            heads.update(reversed(members) if name == 'decode_head' else members)
        elif head is not None:
            heads[name] = head
    return heads


def _head_with_loss(where: str, head: Any) -> Any:
    """Check a head, and return the one that holds its loss: that of K-Net is in the head that makes its kernels."""
    if not isinstance(head, BaseDecodeHead):
        raise ValueError(f'The {where} predicts no pixel logits (a query-based head?): {SUPPORTED}.')
    if isinstance(head, PointHead):
        raise ValueError(f'The {where} computes its loss at sampled points: {SUPPORTED}.')
    if head.out_channels != head.num_classes:
        raise ValueError(
            f'The {where} predicts {head.num_classes} classes with out_channels={head.out_channels} (a sigmoid): '
            f'{SUPPORTED}; for two classes set num_classes=2, out_channels=2.'
        )
    if hasattr(head, 'loss_decode'):
        return head
    if not hasattr(head, 'kernel_generate_head'):
        raise ValueError(f'The {where} has no loss_decode: {SUPPORTED}.')
    return _head_with_loss(f'kernel_generate_head of the {where}', head.kernel_generate_head)
