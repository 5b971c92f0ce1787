"""Draw the batches of all peers, as a function of seed, peer, iteration and slot alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from mmengine.dist import get_dist_info

from mmdmt.registry import DATA_SAMPLERS

LABELED, PSEUDO = 0, 1


class Draw(NamedTuple):
    """One image of a batch.

    Attributes:
        peer: Whose batch it is for.
        image: Its number in the labeled dataset, or in the unlabeled one.
        seed: Of everything random in its transforms.
        bank: Folder of the pseudo labels to train it on; None for an image with ground truth.
    """

    peer: str
    image: int
    seed: int
    bank: str | None


class PeerPool(NamedTuple):
    """The images that a peer draws from during a phase.

    Attributes:
        peer: Its name.
        labeled: Numbers in the labeled dataset.
        unlabeled: Numbers in the unlabeled dataset.
        bank: Folder of its labeler's pseudo labels; None during the warm-up.
    """

    peer: str
    labeled: Sequence[int]
    unlabeled: Sequence[int]
    bank: str | None


@dataclass(frozen=True)
class DrawPlan:
    """All batches of a phase.

    Each peer runs through its labeled and through its unlabeled images in shuffled passes of their own, so that
    every image is seen once before any is seen again. Images and seeds depend on (seed, peer, iteration, slot) alone:
    not on what was drawn before, nor on the number of data workers.

    Args:
        seed: Of the run.
        phase: Number of the phase.
        start: Its first iteration.
        stop: The iteration after its last.
        labeled: Ground-truth images of each peer in a batch of one process.
        pseudo: Pseudo-labeled images of each peer in a batch of one process.
        pools: One for each peer.
    """

    seed: int
    phase: int
    start: int
    stop: int
    labeled: int
    pseudo: int
    pools: tuple[PeerPool, ...]

    def batch(self, iteration: int, rank: int = 0, world_size: int = 1) -> list[Draw]:
        """Return the draws of one process for one iteration, peer after peer."""
        draws: list[Draw] = []
        for number, pool in enumerate(self.pools):
            for stream, count, images, bank in (
                (LABELED, self.labeled, pool.labeled, None),
                (PSEUDO, self.pseudo, pool.unlabeled, pool.bank),
            ):
                for slot in range(rank * count, (rank + 1) * count):
                    position = (iteration - self.start) * count * world_size + slot
                    lap, place = divmod(position, len(images))
                    index = int(_shuffled(len(images), (self.seed, number, stream, self.phase, lap))[place])
                    seed = _hash(self.seed, number, stream, iteration, slot)
                    draws.append(Draw(pool.peer, int(images[index]), seed, bank))
        return draws


@DATA_SAMPLERS.register_module()
class MutualBatchSampler:
    """Draw each batch for all peers at once, as the present phase composes it.

    Used as ``train_dataloader.batch_sampler``; the ``sampler`` beside it, which MMEngine wants, is not asked.
    :class:`mmdmt.DMTHook` gives it the plan of each phase; before that it is empty.

    Args:
        sampler (Sampler): Kept as ``sampler``, where MMEngine's hooks look for it, and otherwise unused.
        batch_size (int): Images of each peer in a batch; every phase must compose as many.
    """

    def __init__(self, sampler: Any, batch_size: int) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        self.rank, self.world_size = get_dist_info()
        self._plan: DrawPlan | None = None
        self._iteration = 0
        self._starts = 0

    def start(self, plan: DrawPlan, iteration: int) -> None:
        """Draw by a plan, from an iteration on."""
        self._plan, self._iteration = plan, iteration

    def __iter__(self) -> Iterator[list[Draw]]:
        """Yield the batches up to the phase's end.

        Raises:
            RuntimeError: If batches are wanted, but no DMTHook says of what.
        """
        plan = self._plan
        self._starts += plan is None
        if self._starts > 1:  # a loop starts once before the hook, and again only where there is none
            raise RuntimeError(
                'mmdmt.MutualBatchSampler has no phase to draw for: add custom_hooks=[dict(type='
                "'mmdmt.DMTHook', phases=[...])]."
            )
        if plan is not None:
            for iteration in range(self._iteration, plan.stop):
                yield plan.batch(iteration, self.rank, self.world_size)

    def __len__(self) -> int:
        """Return how many batches the phase has from the starting iteration on."""
        return self._plan.stop - self._iteration if self._plan else 0


@lru_cache(maxsize=32)
def _shuffled(size: int, entropy: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(entropy).permutation(size)


def _hash(*entropy: int) -> int:
    """Mix numbers into a seed that every random generator takes."""
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
