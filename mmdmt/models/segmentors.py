"""Train MMSegmentation's segmentors as peers, with our loss in place of their cross entropy."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement, PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.mixing import Batch
from mmdmt.method.weights import GROUND_TRUTH
from mmdmt.mixes import Mix
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.prediction import Predicted, forward, forward_crops
from mmdmt.registry import MODELS

HEADS = ('decode_head', 'auxiliary_head')
SUPPORTED = (
    'DMT weighs pixels, so every decode and auxiliary head must be a BaseDecodeHead whose only loss is '
    'CrossEntropyLoss with a softmax, of every pixel (as in FCN, PSPNet, DeepLabV3+, UPerNet, OCRNet, '
    'SegFormer, K-Net)'
)


class Segmentors:
    """MMSegmentation's segmentors as peers."""

    space = 'pixels'

    def place_loss(self, name: str, peer: nn.Module, loss: dict[str, Any]) -> list[DynamicMutualLoss]:
        """Put a :class:`DynamicMutualLoss` in place of the pixel cross entropy of every head of a segmentor.

        Each head keeps the weight that its own loss had (0.4 in many auxiliary heads), and its class weights. A head
        whose own loss is a :class:`DynamicMutualLoss` already keeps it, with exponents of its own.

        Args:
            name (str): Name of the peer, for the error messages.
            peer (nn.Module): An MMSegmentation segmentor; changed in place.
            loss (dict): Config of the loss, ``type='mmdmt.DynamicMutualLoss'`` with its exponents.

        Raises:
            ValueError: If a head computes anything but a pixel cross entropy, naming peer, head and loss; or if its
                loss weighs another number of classes than it predicts.
        """
        placed = []
        for part, head in _heads(peer).items():
            where = f'{part} ({type(head).__name__}) of peer {name!r}'
            _check_head(where, head)
            head = _with_loss(where, head)
            own = _the_only_loss(where, head)
            if isinstance(own, DynamicMutualLoss):
                own.check_classes(head.num_classes, where)
                placed.append(own)
                continue
            config = {'class_weight': own.class_weight, **loss}
            placed_loss = MODELS.build({**config, 'loss_weight': own.loss_weight * loss.get('loss_weight', 1.0)})
            if not isinstance(placed_loss, DynamicMutualLoss):
                raise ValueError(
                    f'loss=dict(type={loss["type"]!r}) of DynamicMutualTraining is a {type(placed_loss).__name__}: '
                    "give type='mmdmt.DynamicMutualLoss' or a subclass of it."
                )
            placed_loss.check_classes(head.num_classes, where)
            head.loss_decode = placed_loss
            placed.append(placed_loss)
        return placed

    def num_classes(self, peer: nn.Module) -> int:
        """Return the number of classes that a segmentor's main decode head predicts."""
        main_head: Any = next(iter(_heads(peer).values()))
        return int(main_head.num_classes)

    def ignored(self, name: str, peer: BaseModel) -> dict[str, int]:
        """Collect the label that the heads of a segmentor ignore, and the one that its preprocessor pads with."""
        heads: dict[str, Any] = _heads(peer)
        found = {f'{part} of peer {name!r}': int(head.ignore_index) for part, head in heads.items()}
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
        """Forward a segmentor's share of a batch, mixed, its confidence maps handed to every loss.

        Args:
            peer (nn.Module): The segmentor, in its distributed wrapper or not.
            bare (BaseModel): The segmentor itself.
            data (dict): ``inputs`` and ``data_samples``, not preprocessed.
            placed (list[DynamicMutualLoss]): Its losses.
            mixes (Sequence[Mix]): What is done to a batch with pseudo labels, after its preprocessing.
        """
        batch = bare.data_preprocessor(data, True)
        samples = batch['data_samples']
        pseudo = [number for number, sample in enumerate(samples) if 'pseudo_confidence' in sample]
        if not pseudo:
            plain: dict[str, Tensor] = peer(**batch, mode='loss')
            return plain
        label = torch.stack([sample.gt_sem_seg.data[0] for sample in samples])
        weights = stack_maps(samples, 'pseudo_weight', 1.0) if 'pseudo_weight' in samples[pseudo[0]] else None
        mixed = Batch(batch['inputs'], label, stack_maps(samples, 'pseudo_confidence', GROUND_TRUTH), weights)
        labeled = [number for number in range(len(samples)) if number not in pseudo]
        for mix in mixes:
            mixed = mix(mixed, pseudo, labeled, self.num_classes(bare))
        if mixes:
            for sample, one in zip(samples, mixed.label, strict=True):
                sample.gt_sem_seg = PixelData(data=one.unsqueeze(0))
        with ExitStack() as stack:
            for loss in placed:
                stack.enter_context(loss.pseudo_targets(mixed.confidence, mixed.weight))
            losses: dict[str, Tensor] = peer(mixed.inputs, samples, mode='loss')
        return losses

    def predict_views(self, peer: BaseModel, views: Sequence[Tensor]) -> Tensor:
        """Predict crops of unlabeled images.

        Args:
            peer (BaseModel): A segmentor in evaluation mode.
            views (Sequence[Tensor]): Of each image what is labeled, uint8 (3, H, W).

        Returns:
            Tensor: float32 (classes, pixels), the softmax of one crop after the other.
        """
        shapes = [tuple(view.shape[1:]) for view in views]
        metas = [SegDataSample(metainfo={'img_shape': shape, 'ori_shape': shape}) for shape in shapes]
        found: dict[int, Tensor] = {}
        for positions, logits, windows in forward_crops(peer, {'inputs': list(views), 'data_samples': metas}):
            probability = logits.softmax(dim=1, dtype=torch.float32)
            for position, one, (rows, columns) in zip(positions, probability, windows, strict=True):
                found[position] = one[:, rows, columns].flatten(1)
        return torch.cat([found[position] for position in range(len(views))], dim=1)

    def ignored_label(self, peer: BaseModel) -> int:
        """Return the label that a segmentor's main head ignores."""
        main_head: Any = next(iter(_heads(peer).values()))
        return int(main_head.ignore_index)

    def wanted(self, samples: Sequence[Any], ignored: int) -> Tensor:
        """Return which pixels want a label: those that are not ignored yet, as padding and margins are.

        Args:
            samples (Sequence[SegDataSample]): With ``gt_sem_seg``.
            ignored (int): The label that is ignored.

        Returns:
            Tensor: bool (pixels,), of one sample after the other.
        """
        return torch.cat([sample.gt_sem_seg.data.flatten() for sample in samples]) != ignored

    def teach(self, samples: Sequence[Any], label: Tensor, confidence: Tensor, weights: Tensor | None) -> None:
        """Give crops their labels.

        Args:
            samples (Sequence[SegDataSample]): Get ``gt_sem_seg``, ``pseudo_confidence`` and, with weights,
                ``pseudo_weight``, each (1, H, W).
            label (Tensor): int64 (pixels,), of one sample after the other.
            confidence (Tensor): float32 (pixels,).
            weights (Tensor, optional): float32 (pixels,).
        """
        shapes = [sample.gt_sem_seg.data.shape for sample in samples]
        rows = {'gt_sem_seg': label, 'pseudo_confidence': confidence, 'pseudo_weight': weights}
        for name, row in rows.items():
            if row is not None:
                for sample, shape, one in zip(samples, shapes, row.split([s.numel() for s in shapes]), strict=True):
                    sample.set_field(PixelData(data=one.view(shape)), name)

    def predict(self, peer: nn.Module, data: dict[str, Any]) -> Iterator[Predicted]:
        """Forward images to be labeled: see :func:`~mmdmt.models.prediction.forward`."""
        return forward(peer, data)

    def average(self, views: Sequence[Any]) -> BaseDataElement:
        """Average what a segmentor predicts for several views of an image, each turned back to the image's geometry.

        Returns:
            SegDataSample: ``seg_logits``, the log of the mean softmax, and ``pred_sem_seg``.
        """
        mean = sum(sample.seg_logits.data.float().softmax(dim=0) for sample in views) / len(views)
        averaged: BaseDataElement = views[0].new()
        averaged.seg_logits = PixelData(data=mean.clamp(min=torch.finfo(mean.dtype).tiny).log())
        averaged.pred_sem_seg = PixelData(data=mean.argmax(dim=0, keepdim=True))
        return averaged

    def combine(self, by_peer: dict[str, Any], predicted_by: str) -> BaseDataElement:
        """Join what segmentors predict for one image.

        Args:
            by_peer (dict[str, SegDataSample]): Their predictions.
            predicted_by (str): Whose is the model's own: a peer's name or ``'ensemble'``.

        Returns:
            SegDataSample: ``pred_sem_seg`` and ``seg_logits`` of that one (the ensemble's logits are the log of its
            mean softmax), and in ``peers`` everyone's ``pred_sem_seg``.
        """
        predictions = {name: BaseDataElement(pred_sem_seg=sample.pred_sem_seg) for name, sample in by_peer.items()}
        mean = sum(sample.seg_logits.data.float().softmax(dim=0) for sample in by_peer.values()) / len(by_peer)
        labels = PixelData(data=mean.argmax(dim=0, keepdim=True))
        predictions[ENSEMBLE] = BaseDataElement(pred_sem_seg=labels)
        if predicted_by == ENSEMBLE:
            combined: BaseDataElement = next(iter(by_peer.values())).new()
            # The smallest normal float keeps log(0) finite.
            combined.seg_logits = PixelData(data=mean.clamp(min=torch.finfo(mean.dtype).tiny).log())
            combined.pred_sem_seg = labels
        else:
            combined = by_peer[predicted_by]
        combined.set_field(BaseDataElement(**predictions), 'peers')
        return combined


def stack_maps(data_samples: Sequence[BaseDataElement], name: str, of_truth: float) -> Tensor:
    """Stack maps of the samples, such as ``pseudo_confidence``, to the size of their labels.

    Args:
        data_samples (Sequence[SegDataSample]): With ``gt_sem_seg`` of one size (H, W), padded or not, and a map
            (1, h, w) of the unpadded image where the label is a pseudo label.
        name (str): Of the map.
        of_truth (float): Its value where the label is ground truth.

    Returns:
        Tensor: (N, H, W) float32; 0 outside of the map of a pseudo label.
    """
    size = data_samples[0].gt_sem_seg.shape
    device = data_samples[0].gt_sem_seg.data.device
    stacked = torch.full((len(data_samples), *size), of_truth, device=device)
    for i, sample in enumerate(data_samples):
        if name in sample:
            height, width = sample.get(name).shape
            stacked[i] = 0  # padding is not a label, and never ground truth
            stacked[i, :height, :width] = sample.get(name).data[0]
    return stacked


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
    from mmseg.models.decode_heads import PointHead
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead

    if not isinstance(head, BaseDecodeHead):
        raise ValueError(f'The {where} predicts no pixel logits (a query-based head?): {SUPPORTED}.')
    if isinstance(head, PointHead):
        raise ValueError(f'The {where} computes its loss at sampled points: {SUPPORTED}.')
    if head.out_channels != head.num_classes:
        raise ValueError(
            f'The {where} predicts {head.num_classes} classes with out_channels={head.out_channels} (a sigmoid): '
            f'{SUPPORTED}; for two classes set num_classes=2, out_channels=2.'
        )


def _with_loss(where: str, head: Any) -> Any:
    """Return the head that holds the loss: that of K-Net is in the head that makes its kernels."""
    inner = getattr(head, 'kernel_generate_head', None)
    if not hasattr(head, 'loss_decode') and inner is not None:
        _check_head(f'kernel_generate_head of the {where}', inner)
        head = inner
    if not hasattr(head, 'loss_decode'):
        raise ValueError(f'The {where} has no loss_decode: {SUPPORTED}.')
    return head


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
        way_out = '; set use_sigmoid=False' if getattr(loss, 'use_sigmoid', False) else ''
        raise ValueError(f'The {where} computes {loss}, no softmax cross entropy of pixels: {SUPPORTED}{way_out}.')
    return loss
