"""The loss of Dynamic Mutual Training, in the signature of the toolboxes' losses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmdmt.losses.weighted_cross_entropy import TINY, WeightedCrossEntropy
from mmdmt.method.weights import GROUND_TRUTH, RULES, Comparison, RuleSettings, below_floor, compare, ramp_up
from mmdmt.registry import MODELS
from mmdmt.settings import Choice, Number, Setting, check_settings


@MODELS.register_module()
class DynamicMutualLoss(nn.Module):
    """Cross entropy in which every pseudo label counts as far as the learner agrees with it.

    ``sum(weight * cross_entropy) / count(label != ignore_index)`` over the whole batch: labels of weight zero and
    ground truth count in the denominator, which is the mean over processes. See :mod:`mmdmt.method.weights` for the
    weights. Labels are of pixels, or of whole images. Inside ``with loss.pseudo_targets(confidence)`` they are weighed;
    outside it is the plain cross entropy over valid labels.

    Args:
        gamma_agree (float): Exponent where learner and labeler agree (gamma 1 of the paper). Defaults to 5.
        gamma_disagree (float): Exponent where they disagree (gamma 2). Defaults to 5. Both zero is plain cross entropy.
        rule (str): A name of :data:`~mmdmt.method.weights.RULES`. Defaults to ``'mutual'``, the paper's.
        loss_weight (float): Factor of the whole loss, 0.4 in many auxiliary heads. Defaults to 1.
        loss_name (str): Key of the loss in the log. Defaults to ``'loss_dmt'``.
        ramp (float): Steepness with which the exponents grow during a phase, see
            :func:`~mmdmt.method.weights.ramp_up`; 5 in the paper's classification. Defaults to 0, constant.
        share_threshold (float): How sure a labeler must be, for the rule ``'share'``. Defaults to 0.968.
        min_confidence (float): A pseudo label of less confidence weighs nothing; that of a phase counts if it is
            higher. Defaults to 0.
        average_over (str): What the denominator counts: ``'valid'``, all labels but the ignored one; ``'kept'``, these
            without pseudo labels below the floor, as the paper's online ablation does. Defaults to ``'valid'``.
        class_weight (Sequence[float], optional): A factor for each class, of ground truth alone, in numerator and
            denominator as in MMSegmentation's cross entropy. Defaults to None; a head keeps that of its own loss.
        weigh_pseudo_classes (bool): Whether ``class_weight`` counts for pseudo labels, too: rare classes can spread
            from label to label then. Defaults to False.
        pseudo_weight (float, optional): Makes the loss the mean over labeled images plus so many times the mean over
            images with any pseudo label, as in UniMatch and DAFormer, where it is 1. Defaults to None, the single mean
            of the paper.

    Raises:
        ValueError: If a value is out of its range, the rule is unknown, or ``loss_name`` lacks "loss".
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
        self.gamma_agree, self.gamma_disagree, self.rule, self.ramp = gamma_agree, gamma_disagree, rule, ramp
        self.loss_weight, self.loss_name = loss_weight, loss_name
        self.share_threshold, self.min_confidence, self.average_over = share_threshold, min_confidence, average_over
        self.weigh_pseudo_classes, self.pseudo_weight = weigh_pseudo_classes, pseudo_weight
        self.class_weight: Tensor | None
        factors = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float32)
        self.register_buffer('class_weight', factors, persistent=False)
        self.ignore_index = 255
        """The label that does not count where a call names none; its peer sets it."""
        self.progress = 1.0
        """How far the phase is, in (0, 1]."""
        self.floor = 0.0
        """The least confidence of a pseudo label in the present phase."""
        self.counts: dict[str, Tensor] = {}
        self.accuracy: Tensor | None = None
        """On the latest labels of whole images, in percent; None of pixels and of mixed images."""
        self._confidence: Tensor | None = None
        self._weights: Tensor | None = None

    def check_classes(self, num_classes: int, where: str) -> None:
        """Refuse a ``class_weight`` that has not one factor for each class that ``where`` predicts."""
        if self.class_weight is not None and tuple(self.class_weight.shape) != (num_classes,):
            values = [round(value, 4) for value in self.class_weight.flatten().tolist()]
            raise ValueError(
                f'class_weight={values} of the {type(self).__name__} of the {where} has {len(values)} entries, but '
                f'{num_classes} classes are predicted: give model.loss (or the loss of the head) one factor for each, '
                'or class_weight=None.'
            )

    @contextmanager
    def pseudo_targets(self, confidence: Tensor, weights: Tensor | None = None) -> Iterator[None]:
        """Set, until the context ends, with what confidence the labels of the coming calls are held.

        Args:
            confidence (Tensor): (N, H, W) or (N,) float32, ``inf`` for ground truth; the shape of the coming labels.
            weights (Tensor, optional): Like it; found elsewhere. Defaults to None: the rule weighs by the logits.
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
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Compute the loss.

        Inside ``pseudo_targets`` the call leaves its ``counts`` behind, scalar tensors: ``pixels``, ``pseudo_pixels``,
        ``disagree``, ``learner_wins``, the sum ``weight``, and ``pseudo_share``, that of the weights in the loss.

        Args:
            logits (Tensor): (N, C, H, W) or (N, C).
            label (Tensor): (N, H, W) or (N,) integer labels; or (N, C) float32 scores of mixed images, whose loss is
                the mean of their entropies times their ``weights``, if there are any (:meth:`weights_to_mix`).
            weight (Tensor, optional): Further weights in the shape of the label, of pixel samplers. Defaults to None.
            ignore_index (int, optional): The label that does not count. Defaults to None, ``ignore_index`` of the loss.
            **kwargs: ``reduction_override='none'`` asks for the loss of each label, as pixel samplers do; others, such
                as ``avg_factor``, are not used.

        Returns:
            Tensor: The scalar loss; of each label without gradient, in the shape of the label.

        Raises:
            ValueError: If the confidence given to ``pseudo_targets`` has another shape than the label.
        """
        ignored = self.ignore_index if ignore_index is None else ignore_index
        self.accuracy = None
        if label.is_floating_point():
            entropy = F.cross_entropy(logits.float(), label, reduction='none')
            return self.loss_weight * (entropy if self._weights is None else entropy * self._weights).mean()
        if label.dim() == 1:
            self.accuracy = 100 * (logits.detach().argmax(dim=1) == label).float().mean()
        if self._confidence is not None and self._confidence.shape != label.shape:
            raise ValueError(
                f'pseudo_targets() got a confidence of shape {tuple(self._confidence.shape)} for a label of shape '
                f'{tuple(label.shape)}: transforms must move both alike, and the head must compute its loss on whole '
                'label maps.'
            )
        if kwargs.get('reduction_override') == 'none':
            return self._of_each(logits.detach(), label, weight, ignored)
        if self._confidence is not None:
            return self._weighted(logits, label, weight, self._confidence, ignored)
        return self._plain(logits, label, weight, ignored)

    def _plain(self, logits: Tensor, label: Tensor, weight: Tensor | None, ignored: int) -> Tensor:
        reduction = 'sum' if weight is None else 'none'
        entropy = F.cross_entropy(logits, label, self.class_weight, ignore_index=ignored, reduction=reduction)
        counted = label != ignored
        if self.class_weight is not None:
            counted = self.class_weight[label.where(counted, 0)].mul(counted)
        return self._mean(entropy if weight is None else (entropy * weight).sum(), counted)

    def _weighted(
        self, logits: Tensor, label: Tensor, weight: Tensor | None, confidence: Tensor, ignored: int
    ) -> Tensor:
        """Take the mean of the weighted cross entropy over the labels that count, or the sum of the two means."""
        compared, weights = self._weigh(logits, label, confidence, ignored)
        counted = compared.valid
        if self.average_over == 'kept':
            counted = counted & ~below_floor(compared, self._floor)
        if weight is not None:
            weights = weights * weight.float()
        if self.class_weight is not None:
            of_class = self._of_class(self.class_weight, compared)
            weights, counted = weights * of_class, of_class.mul(counted)
        if self.pseudo_weight is not None:
            weights = weights * self._of_sides(confidence, counted)
        self._count_share(weights, confidence)
        total: Tensor = WeightedCrossEntropy.apply(logits, compared, weights)
        return self.loss_weight * total if self.pseudo_weight is not None else self._mean(total, counted)

    def _of_each(self, logits: Tensor, label: Tensor, weight: Tensor | None, ignored: int) -> Tensor:
        """Return the weighted cross entropy of every label, 0 where it is ignored."""
        if self._confidence is None:
            entropy = F.cross_entropy(logits.float(), label, self.class_weight, ignore_index=ignored, reduction='none')
        else:
            compared, weights = self._weigh(logits, label, self._confidence, ignored)
            entropy = -compared.label_probability.clamp(min=TINY).log() * weights
            if self.class_weight is not None:
                entropy = entropy * self._of_class(self.class_weight, compared)
        return self.loss_weight * (entropy if weight is None else entropy * weight)

    def _mean(self, total: Tensor, counted: Tensor) -> Tensor:
        # Distributed training averages the gradients of processes; over this mean they add up to those of one process
        # with all their images. Without a distributed run it changes nothing.
        number = counted.sum().float()
        all_reduce(number, op='mean')
        # A batch without one valid label must give 0, as a sum over nothing does, and not 0 / 0.
        return self.loss_weight * total / number.clamp(min=1.0 if self.class_weight is None else TINY)

    def _of_sides(self, confidence: Tensor, counted: Tensor) -> Tensor:
        """Return (N, 1, ...) factors that make a sum over all labels the sum of two means.

        One over the labels of all images with ground truth alone, in all processes; or ``pseudo_weight`` over those of
        the others.
        """
        pseudo = (confidence != GROUND_TRUTH).reshape(len(confidence), -1).any(dim=1)
        of_image = counted.reshape(len(counted), -1).sum(dim=1)
        sides = torch.stack([of_image.mul(~pseudo).sum(), of_image.mul(pseudo).sum()]).float()
        all_reduce(sides, op='mean')
        # A side without a label has no sum to divide.
        truth, taught = sides.clamp(min=TINY).reciprocal()
        factors = torch.where(pseudo, taught * self.pseudo_weight, truth)
        return factors.view(-1, *[1] * (confidence.dim() - 1))

    def _count_share(self, weights: Tensor, confidence: Tensor) -> None:
        """Add to ``counts`` the share of the weights in the loss that pseudo labels have."""
        of_pseudo = weights.masked_fill(confidence == GROUND_TRUTH, 0).sum()
        self.counts['pseudo_share'] = of_pseudo / weights.sum().clamp(min=TINY)

    def weights_to_mix(self, weights: Tensor, confidence: Tensor) -> Tensor:
        """Return the weights of whole images that can be mixed: the loss is the mean of their products with entropies.

        Args:
            weights (Tensor): (N,) float32, of :meth:`weigh` or found elsewhere.
            confidence (Tensor): (N,) float32, ``inf`` for ground truth.
        """
        if 'weight' not in self.counts:  # they were found elsewhere, without a prediction of these images
            self.counts = {'pixels': torch.ones_like(weights).sum(), 'weight': weights.sum()}
        if self.pseudo_weight is not None:
            weights = weights * len(weights) * self._of_sides(confidence, torch.ones_like(weights))
        self._count_share(weights, confidence)
        return weights

    def _weigh(self, logits: Tensor, label: Tensor, confidence: Tensor, ignored: int) -> tuple[Comparison, Tensor]:
        """Weigh by the rule, or take the weights that have been found elsewhere."""
        if self._weights is None:
            return self.weigh(logits, label, confidence, ignored)
        compared = compare(logits, label, confidence, ignored)
        weights = self._weights * compared.valid
        self.counts = _count(compared, weights)
        return compared, weights

    def _of_class(self, class_weight: Tensor, compared: Comparison) -> Tensor:
        factor = class_weight[compared.label_index]
        return factor if self.weigh_pseudo_classes else factor.masked_fill_(compared.pseudo, 1)

    @property
    def _floor(self) -> float:
        return max(self.min_confidence, self.floor)

    def weigh(
        self, logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int | None = None
    ) -> tuple[Comparison, Tensor]:
        """Weigh labels by the rule, and leave its ``counts`` behind; arguments as of :meth:`forward`.

        Returns:
            tuple[Comparison, Tensor]: The comparison, its labels those to be learned, and their float32 weights.
        """
        ignored = self.ignore_index if ignore_index is None else ignore_index
        return self.weigh_compared(compare(logits, label, confidence, ignored))

    def weigh_compared(self, compared: Comparison) -> tuple[Comparison, Tensor]:
        """Weigh labels that have been compared with a prediction, see :meth:`weigh`."""
        agree, disagree = (ramp_up(one, self.progress, self.ramp) for one in (self.gamma_agree, self.gamma_disagree))
        compared, weights = RULES[self.rule](compared, RuleSettings(agree, disagree, self.share_threshold))
        if self._floor > 0:
            weights = weights.masked_fill(below_floor(compared, self._floor), 0)
        self.counts = _count(compared, weights)
        return compared, weights


def _count(compared: Comparison, weights: Tensor) -> dict[str, Tensor]:
    return {
        'pixels': compared.valid.sum(),
        'pseudo_pixels': compared.pseudo.sum(),
        'disagree': compared.disagree.sum(),
        'learner_wins': compared.learner_wins.sum(),
        'weight': weights.sum(),
    }
