"""What a mix is, and how a list of them is built."""

from collections.abc import Sequence
from typing import Any, Protocol

from mmdmt.method.mixing import Batch
from mmdmt.registry import MODELS


class Mix(Protocol):
    """Mix the pseudo-labeled images of a peer's batch with others of it."""

    spaces: tuple[str, ...]
    """What the labels are of that it can mix: ``'pixels'``, ``'images'`` or both."""

    needs_pseudo: int
    """Pseudo-labeled images of a peer that a batch must have."""

    needs_labeled: int
    """Labeled images of a peer that a batch must have."""

    def __call__(self, batch: Batch, pseudo: Sequence[int], labeled: Sequence[int], num_classes: int) -> Batch:
        """Mix a batch.

        Args:
            batch (Batch): After preprocessing, on its device; left as it is. Whole images have scores, and weights.
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
        ValueError: If one of them names something else than a mix, or cannot mix labels of the space.
    """
    if isinstance(configs, dict) or not all(isinstance(config, dict) and 'type' in config for config in configs):
        raise ValueError(
            f"mixes={configs!r} of DynamicMutualTraining: give a list such as [dict(type='mmdmt.CutMix')]."
        )
    mixes = []
    for config in configs:
        if isinstance(config['type'], str) and MODELS.get(config['type']) is None:
            known = ', '.join(
                f'mmdmt.{name}' for name, one in MODELS.module_dict.items() if hasattr(one, 'needs_pseudo')
            )
            raise ValueError(
                f'mixes of DynamicMutualTraining name the unknown type {config["type"]!r}: choose one of {known}, or a '
                'registered class of your own.'
            )
        mix = MODELS.build(config)
        spaces = getattr(mix, 'spaces', None)
        if spaces is None:
            raise ValueError(f'mixes of DynamicMutualTraining must be mixes, got {config["type"]!r}.')
        if space not in spaces:
            raise ValueError(
                f'{config["type"]} in mixes of DynamicMutualTraining mixes labels of {" and ".join(spaces)}, but the '
                f'peers learn labels of {space}: drop it.'
            )
        mixes.append(mix)
    return mixes


def mix_all(batch: Batch, mixes: Sequence[Mix], pseudo: Sequence[int], num_classes: int) -> Batch:
    """Mix a batch by one mix after the other; arguments as of :class:`Mix`."""
    labeled = [image for image in range(len(batch.inputs)) if image not in pseudo]
    for mix in mixes:
        batch = mix(batch, pseudo, labeled, num_classes)
    return batch
