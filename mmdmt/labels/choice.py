"""Find the task of a model, and of a dataset by the transform that packs its samples.

Rooms of tasks are entered only here and only when they are needed: segmentation works without MMPretrain, and
classification without MMSegmentation.
"""

from collections.abc import Sequence

from torch import nn

from mmdmt.labels.task import Task
from mmdmt.rules.checked_pipeline import Transform, described


def task_of_model(name: str, peer: nn.Module) -> Task:
    """Tell the task of a model.

    Args:
        name (str): Of the peer, for the error message.
        peer (nn.Module): Any model.

    Raises:
        ValueError: If it is neither a segmentor nor a classifier.
    """
    if getattr(peer, 'decode_head', None) is not None:
        return _segmentation()
    if getattr(peer, 'backbone', None) is not None and getattr(peer, 'head', None) is not None:
        return _classification()
    raise ValueError(
        f'Peer {name!r} is a {type(peer).__name__}, which has no decode_head and no head: give an EncoderDecoder or '
        'CascadeEncoderDecoder of MMSegmentation, or an ImageClassifier of MMPretrain.'
    )


def task_of_pipeline(transforms: Sequence[Transform]) -> Task:
    """Tell the task of a labeled dataset by what packs its samples.

    Args:
        transforms (Sequence[Callable]): Its pipeline.

    Raises:
        ValueError: If it packs for neither toolbox.
    """
    # By name, because neither toolbox needs the other to be installed.
    packing = {kind.__name__ for transform in transforms for kind in type(transform).__mro__}
    if 'PackSegInputs' in packing:
        return _segmentation()
    if 'PackInputs' in packing:
        return _classification()
    raise ValueError(
        f'The pipeline of the labeled dataset ({described(transforms)}) packs nothing: end it with dict(type='
        "'PackSegInputs') for segmentation or dict(type='PackInputs') for classification."
    )


def _segmentation() -> Task:
    from mmdmt.labels.pixels.task import SEGMENTATION

    return SEGMENTATION


def _classification() -> Task:
    from mmdmt.labels.images.task import CLASSIFICATION

    return CLASSIFICATION
