"""Draw the images of all batches, as a function of seed, peer, iteration and slot alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmdmt.settings import Number, check_settings

LABELED, PSEUDO, VIEW = 0, 1, 2
# In place of a bank's folder: labels made in the iteration that learns from them, and the true ones, of an oracle.
ONLINE, TRUTH = 'online', 'truth'
WEAK_VIEW = 'weak_view'
"""Key of the view that an online labeler sees: uint8 (3, H, W), packed beside the learner's."""


class Draw(NamedTuple):
    """One image of a batch.

    Attributes:
        peer: Whose batch it is for.
        image: Its number in the labeled dataset, or in the unlabeled one.
        seed: Of everything random in its transforms.
        bank: Folder of the pseudo labels to train it on, ``'online'`` or ``'truth'``; None for a labeled image.
        wanted: A class that the crop should show, and the least pixels of it; None for any crop.
        view: Seed of the learner's view alone, where several peers share the crop; None where it goes on from ``seed``.
    """

    peer: str
    image: int
    seed: int
    bank: str | None
    wanted: tuple[int, int] | None = None
    view: int | None = None


class PeerPool(NamedTuple):
    """What a peer draws from during a phase: numbers in both datasets, and ``bank`` as of `Draw`."""

    peer: str
    labeled: Sequence[int]
    unlabeled: Sequence[int]
    bank: str | None


@dataclass(frozen=True, eq=False)
class RareClasses:
    """Draw labeled images by class, the rare ones oftener, in place of shuffled passes.

    A class is drawn with probability ``softmax((1 - share of its pixels) / temperature)``, then an image that shows it.
    Hoyer et al., "DAFormer", CVPR 2022, arXiv 2111.14887.

    Args:
        counts: Pixels of each class in each labeled image, int64 (images, classes).
        temperature: The lower, the oftener rare classes are drawn. Default: 0.01.
        min_pixels: Pixels of the class that an image must have; its crop is drawn again, up to ten times, until it
            shows more than half as many. Default: 3000.

    Raises:
        ValueError: If no image has as many pixels of any class, or a value is 0 or less.
    """

    counts: NDArray[np.int64]
    temperature: float = 0.01
    min_pixels: int = 3000

    SETTINGS: ClassVar = {
        'temperature': Number(0, above=True, hint='0.01'),
        'min_pixels': Number(0, above=True, hint='3000'),
    }

    def __post_init__(self) -> None:
        check_settings('rare_classes', vars(self), self.SETTINGS)
        if not (self.counts >= self.min_pixels).any():
            raise ValueError(
                f'rare_classes draws images with min_pixels={self.min_pixels} pixels of a class, but the most that a '
                f'labeled image has of any is {self.counts.max(initial=0)}: give a lower min_pixels.'
            )

    def probabilities(self, images: Sequence[int]) -> NDArray[np.float64]:
        """Return the probability of each class, float64 (classes,), of some images."""
        counts = self.counts[list(images)]
        frequency = counts.sum(axis=0) / max(1, int(counts.sum()))
        shown: NDArray[np.bool_] = np.any(counts >= self.min_pixels, axis=0)
        if not shown.any():
            return np.zeros(counts.shape[1])
        scaled = np.where(shown, (1 - frequency) / self.temperature, -np.inf)
        weights = np.exp(scaled - scaled.max())
        return np.asarray(weights / weights.sum(), np.float64)

    def draw(self, images: Sequence[int], seed: int) -> tuple[int, int]:
        """Draw a class, then one of some images that shows it; return the image and the class, -1 if none shows any."""
        generator = np.random.default_rng(seed)
        probabilities = self.probabilities(images)
        if not probabilities.any():
            return int(images[int(generator.integers(len(images)))]), -1
        wanted = int(generator.choice(len(probabilities), p=probabilities))
        showing = [image for image in images if self.counts[image, wanted] >= self.min_pixels]
        return int(showing[int(generator.integers(len(showing)))]), wanted


@dataclass(frozen=True)
class DrawPlan:
    """All batches of a phase, as a function of (seed, peer, iteration, slot) alone.

    Each peer runs through its labeled and through its unlabeled images in shuffled passes of its own.

    Args:
        seed: Of the run.
        phase: Number of the phase.
        start: Its first iteration.
        stop: The iteration after its last.
        labeled: Ground-truth images of each peer in a batch of one process; ``pseudo`` likewise.
        pools: One for each peer.
        rare_classes: Draws the labeled images in place of shuffled passes. Default: None.
        same_crops: Whether all peers get the same crops of the same unlabeled images. Default: False.
    """

    seed: int
    phase: int
    start: int
    stop: int
    labeled: int
    pseudo: int
    pools: tuple[PeerPool, ...]
    rare_classes: RareClasses | None = None
    same_crops: bool = False

    def batch(self, iteration: int, rank: int = 0, world_size: int = 1) -> list[Draw]:
        """Return the draws of one process for one iteration, peer after peer."""
        draws: list[Draw] = []
        for number, pool in enumerate(self.pools):
            for stream, count, images, bank in (
                (LABELED, self.labeled, pool.labeled, None),
                (PSEUDO, self.pseudo, pool.unlabeled, pool.bank),
            ):
                shared = self.same_crops and stream == PSEUDO
                drawn = 0 if shared else number
                for slot in range(rank * count, (rank + 1) * count):
                    seed = _hash(self.seed, drawn, stream, iteration, slot)
                    view = _hash(self.seed, number, VIEW, iteration, slot) if shared else None
                    if stream == LABELED and self.rare_classes is not None:
                        image, cls = self.rare_classes.draw(images, seed)
                        wanted = (cls, self.rare_classes.min_pixels // 2) if cls >= 0 else None
                        draws.append(Draw(pool.peer, image, seed, bank, wanted))
                        continue
                    position = (iteration - self.start) * count * world_size + slot
                    lap, place = divmod(position, len(images))
                    index = int(_shuffled(len(images), (self.seed, drawn, stream, self.phase, lap))[place])
                    draws.append(Draw(pool.peer, int(images[index]), seed, bank, view=view))
        return draws


@lru_cache(maxsize=32)
def _shuffled(size: int, entropy: tuple[int, ...]) -> NDArray[np.int64]:
    return np.random.default_rng(entropy).permutation(size)


def _hash(*entropy: int) -> int:
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
