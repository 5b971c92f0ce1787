"""The loss of Dynamic Mutual Training, in the signature of MMSegmentation's losses."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmdmt.method.weights import (
    GROUND_TRUTH,
    Comparison,
    agreement_weights,
    below_floor,
    compare,
    confidence_weights,
    flip_labels,
    mutual_weights,
    naive_weights,
    ramp_up,
    share_weights,
)
from mmdmt.registry import MODELS
from mmdmt.settings import Choice, Number, Setting, check_settings


class Settings(NamedTuple):
    """What a rule is computed with.

    Attributes:
        agree: Exponent where learner and labeler agree, as far as it has grown.
        disagree: Where they disagree.
        share_threshold: How sure a labeler must be, for the rule ``'share'``.
    """

    agree: float
    disagree: float
    share_threshold: float


Rule = Callable[[Comparison, Tensor, Settings], tuple[Comparison, Tensor]]

RULES: dict[str, Rule] = {
    'mutual': lambda compared, _, of: (compared, mutual_weights(compared, of.agree, of.disagree)),
    'naive': lambda compared, _, of: (compared, naive_weights(compared, of.agree)),
    'flip': lambda compared, confidence, of: flip_labels(compared, confidence, of.agree, of.disagree),
    'share': lambda compared, confidence, of: (compared, share_weights(compared, confidence, of.share_threshold)),
    'agreement': lambda compared, *_: (compared, agreement_weights(compared)),
    'confidence': lambda compared, confidence, of: (compared, confidence_weights(compared, confidence, of.agree)),
}
"""Each takes compared labels and their confidence, and returns the labels to learn and their weights."""


@MODELS.register_module()
class DynamicMutualLoss(nn.Module):
    """Cross entropy in which every pseudo label counts as far as the learner agrees with it.

    ``sum(weight * cross_entropy) / count(label != ignore_index)`` over the whole batch: pixels of weight zero and
    ground-truth pixels count in the denominator, which is the mean over processes in distributed training. With a
    ``class_weight`` both sums take it in for ground truth, as MMSegmentation's cross entropy does. See
    :mod:`mmdmt.method.weights` for the weights. With a ``pseudo_weight`` it is the mean over labeled images plus so
    many times the mean over pseudo-labeled ones, however many of each a batch has and however low the weights are.

    Note:
        Which labels are pseudo labels is said by a context, so that the loss keeps the signature of its neighbors::

            with loss.pseudo_targets(confidence):
                loss(logits, label)

        Outside the context it is the plain cross entropy over valid pixels.

    Args:
        gamma_agree (float): Exponent where learner and labeler agree (gamma 1 of the paper). Defaults to 5.
        gamma_disagree (float): Exponent where they disagree (gamma 2). Defaults to 5. Both zero is plain cross entropy.
        ramp (float): Steepness with which the exponents grow during a phase, see
            :func:`~mmdmt.method.weights.ramp_up`; 0 keeps them constant, as in the paper's segmentation.
            Defaults to 0.
        rule (str): ``'mutual'``, the paper's rule; ``'naive'``, ``p[y] ** gamma_agree`` everywhere; ``'flip'``, a
            learner surer than the labeler learns its own prediction; ``'share'``, one weight for all pseudo labels of
            the batch, the share of them that the labeler is sure of; ``'agreement'``, 1 where the two agree and 0 where
            not; ``'confidence'``, the labeler's, to the power of ``gamma_agree``. Defaults to ``'mutual'``.
        share_threshold (float): How sure it must be, for the rule ``'share'``. Defaults to 0.968.
        min_confidence (float): A pseudo label of less confidence weighs nothing; the floor of a phase, if it has a
            higher one, goes before. Defaults to 0.
        average_over (str): What the denominator counts: ``'valid'``, all labels but the ignored one; ``'kept'``, these
            without the pseudo labels below the floor, as the paper's online ablation does. Defaults to ``'valid'``.
        pseudo_weight (float, optional): Factor of a mean of its own for pseudo-labeled images, as in UniMatch and
            DAFormer, where it is 1; both means are over what ``average_over`` counts. An image that shows one pseudo
            label belongs to this mean with all its pixels, those of weight zero and the ground truth that a mix has
            pasted on included. Defaults to None, the single mean of the paper.
        class_weight (Sequence[float], optional): A factor for each class, of ground truth alone. A head that has one
            in its own loss keeps it. Defaults to None.
        weigh_pseudo_classes (bool): Whether ``class_weight`` counts for pseudo labels, too. Who labels was trained
            with it and finds more of the rare classes than there is; weighed again, from label to label, they spread
            over all others. Defaults to False.
        loss_weight (float): Factor of the whole loss, 0.4 in many auxiliary heads. Defaults to 1.
        loss_name (str): Key of the loss in the log. Defaults to ``'loss_dmt'``.

    Raises:
        ValueError: If an exponent or the ramp is negative, the rule is unknown, or another value cannot be meant.
    """

    SETTINGS: ClassVar[dict[str, Setting]] = {
        **dict.fromkeys(('gamma_agree', 'gamma_disagree', 'ramp'), Number(0)),
        'loss_weight': Number(0, above=True),
        'rule': Choice(*RULES),
        **dict.fromkeys(('share_threshold', 'min_confidence'), Number(0, 1)),
        'average_over': Choice('valid', 'kept'),
        'pseudo_weight': Number(0, optional=True),
    }

    def __init__(
        self,
        gamma_agree: float = 5.0,
        gamma_disagree: float = 5.0,
        rule: str = 'mutual',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_dmt',
        ramp: float = 0.0,
        share_threshold: float = 0.968,
        min_confidence: float = 0.0,
        average_over: str = 'valid',
        class_weight: Sequence[float] | None = None,
        weigh_pseudo_classes: bool = False,
        pseudo_weight: float | None = None,
    ) -> None:
        super().__init__()
        check_settings(self, locals())
        if 'loss' not in str(loss_name):
            raise ValueError(
                f'loss_name={loss_name!r} of {type(self).__name__} lacks "loss", by which MMEngine knows what to '
                "add up: take one such as 'loss_dmt'."
            )
        self.share_threshold = share_threshold
        self.min_confidence = min_confidence
        self.average_over = average_over
        self.pseudo_weight = pseudo_weight
        self.floor = 0.0
        """The least confidence of a pseudo label in the present phase, see :meth:`begin_phase`."""
        self.class_weight: Tensor | None
        weights = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float32)
        self.register_buffer('class_weight', weights, persistent=False)
        self.weigh_pseudo_classes = weigh_pseudo_classes
        self.gamma_agree = gamma_agree
        self.gamma_disagree = gamma_disagree
        self.rule = rule
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.ramp = ramp
        self.progress = 1.0
        self.counts: dict[str, Tensor] = {}
        self._confidence: Tensor | None = None
        self._weights: Tensor | None = None

    def check_classes(self, num_classes: int, where: str) -> None:
        """Check that ``class_weight``, if there is one, has a factor for each class.

        Args:
            num_classes (int): Number of classes that are predicted.
            where (str): What predicts them, for the error message.

        Raises:
            ValueError: If it has more or fewer.
        """
        given = None if self.class_weight is None else tuple(self.class_weight.shape)
        if self.class_weight is not None and given != (num_classes,):
            values = [round(value, 4) for value in self.class_weight.flatten().tolist()]
            raise ValueError(
                f'class_weight={values} of the {type(self).__name__} of the {where} has {len(values)} entries, but '
                f'{num_classes} classes are predicted: give model.loss (or the loss of the head itself) one factor for '
                'each class, in the order of the classes, or class_weight=None.'
            )

    @contextmanager
    def pseudo_targets(self, confidence: Tensor, weights: Tensor | None = None) -> Iterator[None]:
        """Say, until the context ends, with what confidence the labels of the coming calls are held.

        Args:
            confidence (Tensor): (N, H, W) float32, ``inf`` for ground truth; the shape of the coming labels.
            weights (Tensor, optional): Like ``confidence``; float32 weights that have been found elsewhere. Defaults to
                None: the rule weighs by the coming logits.
        """
        self._confidence, self._weights = confidence, weights
        try:
            yield
        finally:
            self._confidence = self._weights = None

    def forward(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> Tensor:
        """Compute the loss.

        Inside ``pseudo_targets`` the call also leaves its ``counts`` behind, as scalar tensors that nothing has
        waited for: ``pixels``, ``pseudo_pixels``, ``disagree``, ``learner_wins``, the sum ``weight``, and the
        ``pseudo_share`` of the labels' weights in the loss.

        Args:
            logits (Tensor): (N, C, H, W) or (N, C).
            label (Tensor): (N, H, W) or (N,) integer labels.
            weight (Tensor, optional): Further weights in the shape of the label, as MMSegmentation's pixel samplers
                give them. Defaults to None.
            ignore_index (int): The label that does not count. Defaults to 255.
            **kwargs: ``reduction_override='none'`` asks for the loss of each label, as pixel samplers do. Others are
                not used: MMSegmentation hands losses more than one of them needs (``avg_factor`` and others).

        Returns:
            Tensor: The scalar loss; with ``reduction_override='none'`` the loss of each label, without gradient, in the
            shape of the label.

        Raises:
            ValueError: If the confidence given to ``pseudo_targets`` has another shape than the label.
        """
        if kwargs.get('reduction_override') == 'none':
            return self._of_each(logits.detach(), label, weight, ignore_index)
        if self._confidence is not None:
            return self._weighted(logits, label, weight, self._confidence, ignore_index)
        return self._plain(logits, label, weight, ignore_index)

    def _mean(self, total: Tensor, pixels: Tensor) -> Tensor:
        # Distributed training averages the gradients of processes; over this mean they add up to those of one process
        # with all their images. Without a distributed run it changes nothing.
        all_reduce(pixels, op='mean')
        # A batch without one valid label must give 0, as a sum over nothing does, and not 0 / 0.
        least = 1.0 if self.class_weight is None else torch.finfo(torch.float32).tiny
        return self.loss_weight * total / pixels.clamp(min=least)

    def _of_each(self, logits: Tensor, label: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor:
        """Return the weighted cross entropy of every label, 0 where it is ignored."""
        settings: dict[str, Any] = {'weight': self.class_weight, 'ignore_index': ignore_index}
        entropy = F.cross_entropy(logits.float(), label, reduction='none', **settings)
        if self._confidence is not None:
            self._check_shape(label, self._confidence)
            compared, weights = self._weigh(logits, label, self._confidence, ignore_index)
            entropy = -compared.label_probability.clamp(min=torch.finfo(torch.float32).tiny).log() * weights
            if self.class_weight is not None:
                entropy = entropy * self._of_class(self.class_weight, compared)
        return self.loss_weight * (entropy if weight is None else entropy * weight)

    @staticmethod
    def _check_shape(label: Tensor, confidence: Tensor) -> None:
        if confidence.shape != label.shape:
            raise ValueError(
                f'pseudo_targets() got a confidence of shape {tuple(confidence.shape)} for a label of shape '
                f'{tuple(label.shape)}: transforms must move both alike (list the map in results["seg_fields"]), and '
                'the head must compute its loss on whole label maps.'
            )

    def _plain(self, logits: Tensor, label: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor:
        """Take the mean of the cross entropy of all pixels, each counted as much as its class weighs."""
        settings: dict[str, Any] = {'weight': self.class_weight, 'ignore_index': ignore_index}
        if weight is None:
            total = F.cross_entropy(logits, label, reduction='sum', **settings)
        else:
            total = (F.cross_entropy(logits, label, reduction='none', **settings) * weight).sum()
        counted = label != ignore_index
        if self.class_weight is None:
            return self._mean(total, counted.sum().float())
        return self._mean(total, self.class_weight[label.where(counted, 0)].mul(counted).sum())

    def _weighted(
        self, logits: Tensor, label: Tensor, weight: Tensor | None, confidence: Tensor, ignore_index: int
    ) -> Tensor:
        """Take the mean of the weighted cross entropy over the pixels that count, or the sum of the two means."""
        self._check_shape(label, confidence)
        compared, weights = self._weigh(logits, label, confidence, ignore_index)
        counted = compared.valid
        if self.average_over == 'kept':
            counted = counted & ~below_floor(compared, confidence, self._floor)
        if weight is not None:
            weights = weights * weight.float()
        if self.class_weight is not None:
            of_class = self._of_class(self.class_weight, compared)
            weights, counted = weights * of_class, of_class.mul(counted)
        if self.pseudo_weight is not None:
            weights = weights * self.of_sides(confidence, counted)
        self.count_share(weights, confidence)
        total: Tensor = _WeightedCrossEntropy.apply(logits, compared, weights)
        return self.loss_weight * total if self.pseudo_weight is not None else self._mean(total, counted.sum().float())

    def of_sides(self, confidence: Tensor, counted: Tensor) -> Tensor:
        """Return the factors by which a sum over all labels becomes the sum of two means.

        Args:
            confidence (Tensor): (N, ...) float32, ``inf`` for ground truth.
            counted (Tensor): (N, ...); how much each label counts in the denominators.

        Returns:
            Tensor: float32 (N, 1, ...), one over the labels of the images with ground truth alone, in all processes
            over the number of these; of the other images ``pseudo_weight`` over theirs.
        """
        pseudo = (confidence != GROUND_TRUTH).flatten(1).any(dim=1) if confidence.dim() > 1 else confidence.isfinite()
        of_image = counted.flatten(1).sum(dim=1) if counted.dim() > 1 else counted
        sides = torch.stack([of_image.mul(~pseudo).sum(), of_image.mul(pseudo).sum()]).float()
        all_reduce(sides, op='mean')
        # A side without a label has no sum to divide.
        truth, taught = sides.clamp(min=torch.finfo(torch.float32).tiny).reciprocal()
        factors = torch.where(pseudo, taught * self.pseudo_weight, truth)
        return factors.view(-1, *[1] * (confidence.dim() - 1))

    def count_share(self, weights: Tensor, confidence: Tensor) -> None:
        """Add to ``counts`` the share of weights that pseudo labels have.

        Args:
            weights (Tensor): Of the labels, as the loss takes them in.
            confidence (Tensor): Like ``weights``, ``inf`` for ground truth.
        """
        whole = weights.sum().clamp(min=torch.finfo(torch.float32).tiny)
        self.counts['pseudo_share'] = weights.masked_fill(confidence == GROUND_TRUTH, 0).sum() / whole

    def _weigh(self, logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int) -> tuple[Comparison, Tensor]:
        """Weigh by the rule, or take the weights that have been found elsewhere."""
        if self._weights is None:
            return self.weigh(logits, label, confidence, ignore_index)
        compared = compare(logits, label, confidence, ignore_index)
        weights = self._weights * compared.valid
        self.counts = _count(compared, weights)
        return compared, weights

    def _of_class(self, class_weight: Tensor, compared: Comparison) -> Tensor:
        """Return the class's factor of each label."""
        factor = class_weight[compared.label_index]
        return factor if self.weigh_pseudo_classes else factor.masked_fill_(compared.pseudo, 1)

    @property
    def _floor(self) -> float:
        return max(self.min_confidence, self.floor)

    def weigh(
        self, logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int = 255
    ) -> tuple[Comparison, Tensor]:
        """Weigh labels by the rule, and leave its ``counts`` behind.

        Args:
            logits (Tensor): (N, C, H, W) or (N, C).
            label (Tensor): (N, H, W) or (N,) integer labels.
            confidence (Tensor): Like ``label``; float32, ``inf`` for ground truth.
            ignore_index (int): The label that does not count. Defaults to 255.

        Returns:
            tuple[Comparison, Tensor]: The comparison, its labels those to be learned, and their float32 weights.
        """
        return self.weigh_compared(compare(logits, label, confidence, ignore_index), confidence)

    def weigh_compared(self, compared: Comparison, confidence: Tensor) -> tuple[Comparison, Tensor]:
        """Weigh labels that have been compared with a prediction, see :meth:`weigh`.

        Args:
            compared (Comparison): The result of :func:`~mmdmt.method.weights.compare`.
            confidence (Tensor): Of the labels that were compared.
        """
        agree, disagree = (ramp_up(one, self.progress, self.ramp) for one in (self.gamma_agree, self.gamma_disagree))
        compared, weights = RULES[self.rule](compared, confidence, Settings(agree, disagree, self.share_threshold))
        if self._floor > 0:
            weights = weights.masked_fill(below_floor(compared, confidence, self._floor), 0)
        self.counts = _count(compared, weights)
        return compared, weights

    def extra_repr(self) -> str:
        """Show the settings in the printed model."""
        return f'gamma_agree={self.gamma_agree}, gamma_disagree={self.gamma_disagree}, rule={self.rule!r}'


class _WeightedCrossEntropy(torch.autograd.Function):
    """``sum(weight * cross_entropy)`` from the softmax that the weights were made of.

    The softmax is taken once, for weights, loss and gradient alike, and is all that is kept of the size of the logits.
    The gradient is made in its place, so a graph can be gone back through once; torch refuses a second time.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, compared: Comparison, weights: Tensor) -> Tensor:
        """Sum over all pixels; an entropy beyond 87 counts as 87 (its gradient is exact all the same)."""
        ctx.save_for_backward(compared.probability, compared.label_index, weights)
        ctx.dtype = logits.dtype
        tiny = torch.finfo(torch.float32).tiny
        return -compared.label_probability.clamp(min=tiny).log_().mul_(weights).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return ``weight * (p - onehot(y))`` for the logits."""
        probability, label_index, weights = ctx.saved_tensors
        scaled = (weights * gradient).unsqueeze(1)
        of_logits = probability.mul_(scaled).scatter_add_(1, label_index.unsqueeze(1), scaled.neg_())
        return of_logits.to(ctx.dtype), None, None


def _count(compared: Comparison, weights: Tensor) -> dict[str, Tensor]:
    return {
        'pixels': compared.valid.sum(),
        'pseudo_pixels': compared.pseudo.sum(),
        'disagree': compared.disagree.sum(),
        'learner_wins': compared.learner_wins.sum(),
        'weight': weights.sum(),
    }
