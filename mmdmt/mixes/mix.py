"""What a mix is, and how a list of them is built."""

from collections.abc import Sequence
from typing import Any, Protocol

from mmdmt.method.mixing import PixelBatch
from mmdmt.registry import MODELS


class Mix(Protocol):
    """Mix the pseudo-labeled images of a peer's batch with others of it."""

    space: str
    """What its labels are of: ``'pixels'`` or ``'images'``."""

    needs_pseudo: int
    """Pseudo-labeled images of a peer that a batch must have."""

    needs_labeled: int
    """Labeled images of a peer that a batch must have."""

    def __call__(
        self, batch: PixelBatch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int
    ) -> PixelBatch:
        """Mix a batch.

        Args:
            batch (PixelBatch): After preprocessing, on its device; left as it is.
            pseudo (Sequence[int]): Numbers of the pseudo-labeled images in it.
            labeled (Sequence[int]): Numbers of the labeled ones.
            num_classes (int): How many classes there are.
        """


def build_mixes(configs: Sequence[dict[str, Any]], space: str) -> list[Mix]:
    """Build the mixes of a config, in their order.

    Args:
        configs (Sequence[dict]): ``mixes`` of :class:`mmdmt.DynamicMutualTraining`.
        space (str): What the labels of the peers are of: ``'pixels'`` or ``'images'``.

    Raises:
        ValueError: If one of them is not a config of a mix, or mixes labels of the other space.
    """
    if isinstance(configs, dict) or not all(isinstance(config, dict) and 'type' in config for config in configs):
        raise ValueError(
            f"mixes={configs!r} of DynamicMutualTraining: give a list such as [dict(type='mmdmt.CutMix')]."
        )
    mixes = []
    for config in configs:
        if isinstance(config['type'], str) and MODELS.get(config['type']) is None:
            raise ValueError(
                f'mixes of DynamicMutualTraining name the unknown type {config["type"]!r}: choose mmdmt.CutMix, '
                'mmdmt.ClassMix, mmdmt.BlockMask or a registered class of your own.'
            )
        mix = MODELS.build(config)
        if not hasattr(mix, 'needs_pseudo'):
            raise ValueError(f'mixes of DynamicMutualTraining name {config["type"]!r}, which is not a mix.')
        if mix.space != space:
            raise ValueError(
                f'{config["type"]} in mixes of DynamicMutualTraining moves labels of {mix.space}, but the peers learn '
                f'labels of {space}: drop it.'
            )
        mixes.append(mix)
    return mixes
