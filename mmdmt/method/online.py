"""Describe labels that are made in the iteration that learns from them."""

from dataclasses import dataclass
from typing import ClassVar

from mmdmt.method.draws import TRUTH
from mmdmt.settings import Choice, Number, Setting, check_settings

SHARE = Number(0, 1, above=True, optional=True, hint='0.2 for 20 percent')
CONFIDENCE = Number(0, 1, hint='0.95')


@dataclass(frozen=True)
class OnlineLabels:
    """Labels made in the iteration that learns from them.

    Args:
        labeler: Whose predictions are the labels: ``'weights'``, those of the labeler as it stands; ``'average'``, of
            its weights as MMEngine's ``EMAHook`` averages them; ``'ensemble'``, the mean of all peers' averages;
            ``'truth'``, the masks of the unlabeled images with full weight: an oracle, which shows what a perfect
            labeler would gain. Defaults to ``'weights'``.
        min_confidence: A label of less confidence weighs nothing, in [0, 1]. Defaults to 0.
        label_ratio: Share of each predicted class that is kept, in (0, 1]; the most confident pixels of those that the
            peer has been taught lately, in all processes. Defaults to None, all.
        window: For about how many iterations ``label_ratio`` remembers: the one before counts ``1 - 1 / window`` as
            much. Defaults to 1, the present batch alone.
        weigh_by: The view whose prediction by the learner weighs its labels: ``'strong'``, the one that it learns;
            ``'weak'``, the one that is labeled; weights then move with the labels through every mix. Defaults to
            ``'strong'``.

    Raises:
        ValueError: If a value is another.
    """

    labeler: str = 'weights'
    min_confidence: float = 0.0
    label_ratio: float | None = None
    window: int = 1
    weigh_by: str = 'strong'

    SETTINGS: ClassVar[dict[str, Setting]] = {
        'labeler': Choice('weights', 'average', 'ensemble', TRUTH),
        'window': Number(1, whole=True),
        'weigh_by': Choice('weak', 'strong'),
        'min_confidence': CONFIDENCE,
        'label_ratio': SHARE,
    }

    def __post_init__(self) -> None:
        check_settings('online', vars(self), self.SETTINGS)
        if self.window > 1 and self.label_ratio is None:
            raise ValueError(f'window={self.window} of online remembers label_ratio=None: give a share as label_ratio.')
        others = self.min_confidence, self.label_ratio, self.weigh_by
        if self.labeler == TRUTH and others != (0, None, 'strong'):
            raise ValueError("online.labeler='truth' learns every label with full weight: give nothing beside it.")

    @property
    def averaged(self) -> bool:
        """Whether averaged weights label."""
        return self.labeler in ('average', 'ensemble')

    @property
    def same_crops(self) -> bool:
        """Whether all peers get the same crops, so that one prediction of a peer serves all of them."""
        return self.labeler == 'ensemble' or self.weigh_by == 'weak'

    @property
    def kind(self) -> str:
        """Kind of the labels, in the words of a log line."""
        if self.labeler == TRUTH:
            return 'true labels in the place of pseudo labels'
        source = f'labels online by {self.labeler}'
        if self.label_ratio is not None:
            lately = 'each batch' if self.window == 1 else f'about {self.window} iterations'
            source += f', label ratio {self.label_ratio:g} in {lately}'
        return f'{source}, weighed on the weak view' if self.weigh_by == 'weak' else source
