"""Describe the phases of a run as plain data, checked when it is made."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, takewhile
from typing import Any, ClassVar

from mmdmt.method.online import CONFIDENCE, SHARE, OnlineLabels
from mmdmt.settings import Number, check_settings

COUNT = Number(0, whole=True)

LABEL_RATIOS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the pseudo labels that each of the paper's five phases keeps."""
PHASE_WORDS = ('phases', 'warm_up', 'iters', 'labeled', 'pseudo', 'ratios', 'online', 'lr_factor', 'warm_up_lists')
"""Arguments of DMTHook that say the phases of a run, in full or in the compact form."""


@dataclass(frozen=True)
class Phase:
    """One round of mutual training: label the unlabeled images, then train on them.

    With ``label_ratio`` labels are made at its start, with ``online`` in the iteration that learns from them; with
    neither it is a warm-up on ground truth alone.

    Args:
        iters: Iterations to train.
        labeled: Ground-truth images of each peer in every batch (of each process).
        pseudo: Pseudo-labeled images of each peer in every batch. Defaults to 0.
        label_ratio: Share of each predicted class that is kept, in (0, 1]; the most confident pixels. Defaults to
            None, no labeling.
        lr: Learning rate at the phase's start, in place of the optimizer's own; per-layer multipliers still apply.
            Defaults to None.
        lr_factor: Factor of the optimizer's own learning rate, when ``lr`` is None. Defaults to 1.
        labeled_lists: For each peer a text file of image names (one a line, as in ``ann_file``), its own part of the
            labeled set during this phase: difference-maximized sampling. Defaults to None, the whole set for all.
        online: Arguments of :class:`OnlineLabels`, in place of ``label_ratio``. Defaults to None.
        min_confidence: A pseudo label of less confidence weighs nothing, in [0, 1]; ``online`` has its own. Defaults
            to 0.

    Raises:
        ValueError: If the values do not make a phase.
    """

    iters: int
    labeled: int
    pseudo: int = 0
    label_ratio: float | None = None
    lr: float | None = None
    lr_factor: float = 1.0
    labeled_lists: Mapping[str, str] | None = None
    online: Mapping[str, Any] | None = None
    min_confidence: float = 0.0

    SETTINGS: ClassVar = {
        'iters': Number(1, whole=True),
        'labeled': COUNT,
        'pseudo': COUNT,
        'label_ratio': SHARE,
        'lr': Number(0, above=True, optional=True),
        'lr_factor': Number(0, above=True),
        'min_confidence': CONFIDENCE,
    }

    def __post_init__(self) -> None:
        check_settings('a phase', vars(self), self.SETTINGS)
        if self.labeled_lists is not None and not isinstance(self.labeled_lists, Mapping):
            raise ValueError(
                f'labeled_lists={self.labeled_lists!r} is a {type(self.labeled_lists).__name__}: give dict(peer=list '
                "file), such as dict(left='left.txt')."
            )
        if self.online is not None:
            self.online_labels  # noqa: B018  checks the values
        source = f'label_ratio={self.label_ratio}' if self.online is None else f'online={self.online}'
        floor = f'min_confidence={self.min_confidence}'
        learns, no_floor = self.learns_pseudo_labels, not self.min_confidence
        holds = (
            (self.batch_size, 'labeled=0, pseudo=0 make no batch: give one of them above 0.'),
            (
                None in (self.label_ratio, self.online),
                f'label_ratio={self.label_ratio} and online={self.online} exclude each other: give one of them.',
            ),
            (
                learns or not self.pseudo,
                f'pseudo={self.pseudo} images a batch need pseudo labels: give label_ratio, in (0, 1], or '
                "online=dict(labeler='weights').",
            ),
            (
                self.pseudo or not learns,
                f'{source} makes pseudo labels that no batch uses: give pseudo >= 1, or drop it.',
            ),
            (learns or no_floor, f'{floor} is for pseudo labels, of which there are none.'),
            (self.online is None or no_floor, f'{floor}: give it inside of online=dict(...).'),
            (
                self.lr is None or self.lr_factor == 1,
                f'lr={self.lr} and lr_factor={self.lr_factor} exclude each other: give one of them.',
            ),
            (
                self.labeled or not self.labeled_lists,
                'labeled_lists name images for a phase with labeled=0: give labeled >= 1, or drop them.',
            ),
        )
        for condition, sentence in holds:
            if not condition:
                raise ValueError(sentence)

    @property
    def batch_size(self) -> int:
        """Images of each peer in every batch."""
        return self.labeled + self.pseudo

    @property
    def learns_pseudo_labels(self) -> bool:
        """Whether it learns from pseudo labels; a warm-up does not."""
        return self.label_ratio is not None or self.online is not None

    @property
    def has_bank(self) -> bool:
        """Whether pseudo labels are made at its start and kept in a bank."""
        return self.label_ratio is not None

    @property
    def online_labels(self) -> OnlineLabels | None:
        """How labels are made in the iteration; None if they are not."""
        if self.online is None:
            return None
        if not isinstance(self.online, Mapping):
            raise ValueError(f"online={self.online!r}: give a dict, such as dict(labeler='average').")
        return OnlineLabels(**self.online)

    @property
    def floor(self) -> float:
        """The confidence below which a pseudo label weighs nothing."""
        online = self.online_labels
        return self.min_confidence if online is None else online.min_confidence

    @property
    def kind(self) -> str:
        """Kind of the phase, in the words of a log line."""
        if not self.learns_pseudo_labels:
            return f'warm-up on {self.labeled} labeled images a batch'
        online = self.online_labels
        source = f'label ratio {self.label_ratio:g}' if online is None else online.kind
        floor = f', of confidence {self.floor:g} or more' if self.floor else ''
        return f'{self.labeled} labeled + {self.pseudo} pseudo-labeled images a batch, {source}{floor}'


@dataclass(frozen=True)
class Curriculum:
    """The phases of a run, one after the other; ValueError if there is none."""

    phases: tuple[Phase, ...]
    ends: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError('phases=[]: give at least one phase, such as dict(iters=500, labeled=8).')
        object.__setattr__(self, 'ends', tuple(accumulate(phase.iters for phase in self.phases)))

    @classmethod
    def from_configs(cls, configs: Sequence[Mapping[str, Any]]) -> 'Curriculum':
        """Build a curriculum from the arguments of each :class:`Phase`.

        Raises:
            ValueError: If one of them makes no phase, naming it.
        """
        if isinstance(configs, (Mapping, str)) or not all(isinstance(config, Mapping) for config in configs):
            raise ValueError(
                f'phases must be a list of dicts, got {configs!r}: give phases=[dict(iters=500, labeled=8), ...].'
            )
        phases = []
        for number, config in enumerate(configs):
            try:
                phases.append(Phase(**config))
            except (TypeError, ValueError) as error:
                reason = str(error).rstrip('.')
                raise ValueError(f'phases[{number}] = {dict(config)}: {reason}.') from error
        return cls(tuple(phases))

    @classmethod
    def compact(
        cls,
        *,
        labeled: int = 0,
        pseudo: int = 0,
        warm_up: int = 0,
        iters: int | Sequence[int] | None = None,
        ratios: Sequence[float] | None = None,
        online: Mapping[str, Any] | None = None,
        lr_factor: float = 1.0,
        warm_up_lists: Mapping[str, str] | None = None,
    ) -> 'Curriculum':
        """Lay out a warm-up, and phases after it that differ in their label ratio and length alone.

        Args:
            labeled (int): As of :class:`Phase`. Defaults to 0.
            pseudo (int): Likewise; the warm-up has labeled images in their place. Defaults to 0.
            warm_up (int): Its iterations. Defaults to 0, none.
            iters (int | Sequence[int], optional): Iterations of every phase after it, or of each. Defaults to None.
            ratios (Sequence[float], optional): Label ratio of each phase after it; ``()`` for the warm-up alone.
                Defaults to None: the paper's five, :data:`LABEL_RATIOS`.
            online (Mapping, optional): Of one phase in place of those with label ratios. Defaults to None.
            lr_factor (float): Of the phases after the warm-up. Defaults to 1.
            warm_up_lists (Mapping[str, str], optional): ``labeled_lists`` of the warm-up. Defaults to None.

        Raises:
            ValueError: If the values make no phases.

        Example:
            >>> curriculum = Curriculum.compact(labeled=2, pseudo=6, warm_up=500, iters=250, ratios=(0.5, 1.0))
            >>> [(phase.iters, phase.labeled, phase.pseudo, phase.label_ratio) for phase in curriculum.phases]
            [(500, 8, 0, None), (250, 2, 6, 0.5), (250, 2, 6, 1.0)]
        """
        check_settings('DMTHook', locals(), dict.fromkeys(('labeled', 'pseudo', 'warm_up'), COUNT))
        if online is not None and ratios:
            raise ValueError(f'ratios={list(ratios)} and online={dict(online)} exclude each other: give one of them.')
        kinds: list[dict[str, Any]] = [{'online': online}]
        if online is None:
            kinds = [{'label_ratio': ratio} for ratio in (LABEL_RATIOS if ratios is None else ratios)]
        lengths = list(iters) if isinstance(iters, Sequence) and kinds else [iters] * len(kinds)
        if None in lengths or len(lengths) != len(kinds):
            raise ValueError(
                f'iters={iters} must be the length of {len(kinds)} phases: give one number for all, or one for each; '
                'ratios=() for the warm-up alone.'
            )
        phases: list[dict[str, Any]] = []
        if warm_up or warm_up_lists or not kinds:
            phases.append({'iters': warm_up, 'labeled': labeled + pseudo, 'labeled_lists': warm_up_lists})
        of_all = {'labeled': labeled, 'pseudo': pseudo, 'lr_factor': lr_factor}
        phases += [{'iters': length, **of_all, **kind} for length, kind in zip(lengths, kinds, strict=True)]
        return cls.from_configs(phases)

    def __len__(self) -> int:
        return len(self.phases)

    def __getitem__(self, index: int) -> Phase:
        return self.phases[index]

    @property
    def total_iters(self) -> int:
        """Iterations of the whole run."""
        return self.ends[-1]

    @property
    def warm_up(self) -> int:
        """Iterations before the first phase that learns pseudo labels."""
        return sum(phase.iters for phase in takewhile(lambda phase: not phase.learns_pseudo_labels, self.phases))

    def start(self, index: int) -> int:
        """Return the iteration at which a phase starts."""
        return self.ends[index] - self.phases[index].iters

    def at(self, iteration: int) -> int:
        """Return the number of the phase that an iteration belongs to; past the end, the last one."""
        return min(bisect_right(self.ends, iteration), len(self.phases) - 1)
