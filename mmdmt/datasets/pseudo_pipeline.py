"""Pipelines of unlabelled images, derived from what the user has written."""

from collections.abc import Callable, Sequence
from typing import Any

from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset
from mmseg.datasets.transforms import PackSegInputs

from mmdmt.datasets.transforms.pseudo_labels import LoadPseudoLabel, PackPseudoLabel

Transform = Callable[[dict[str, Any]], Any]


def training_transforms(labeled: BaseDataset) -> list[Transform]:
    """Turn the pipeline of annotated images into one of pseudo-labelled images.

    Args:
        labeled (BaseDataset): The labelled dataset.

    Returns:
        list[Callable]: Its transforms, with a pseudo label loaded and packed where it has the annotation.

    Raises:
        ValueError: If the dataset has no pipeline of its own.
    """
    if not isinstance(labeled, BaseDataset):
        raise ValueError(
            f'labeled of MutualDataset is a {type(labeled).__name__}, which has no pipeline of its own to derive the '
            'unlabelled one from: give unlabeled a pipeline with mmdmt.LoadPseudoLabel and mmdmt.PackPseudoLabel.'
        )
    pipeline: list[Transform] = []
    for transform in labeled.pipeline.transforms:
        if isinstance(transform, LoadAnnotations):
            pipeline.append(LoadPseudoLabel())
        elif isinstance(transform, PackSegInputs):
            pipeline.append(PackPseudoLabel(meta_keys=transform.meta_keys))
        else:
            pipeline.append(transform)
    return pipeline


def labelling_transforms(training: Sequence[Transform]) -> list[Transform]:
    """Return what an image goes through to be labelled: all that stands before its label is loaded, and packing.

    Args:
        training (Sequence[Callable]): The transforms of a pseudo-labelled image.

    Raises:
        ValueError: If they load annotations, load no pseudo label, or drop its confidence.
    """
    names = ', '.join(type(transform).__name__ for transform in training)
    kinds = [type(transform) for transform in training]
    if any(issubclass(kind, LoadAnnotations) for kind in kinds):
        raise ValueError(
            f'The pipeline of the unlabelled dataset ({names}) loads annotations: put dict(type='
            "'mmdmt.LoadPseudoLabel') in place of LoadAnnotations."
        )
    if LoadPseudoLabel not in kinds:
        raise ValueError(
            f'The pipeline of the unlabelled dataset ({names}) loads no pseudo label: put dict(type='
            "'mmdmt.LoadPseudoLabel') where the labelled one loads annotations."
        )
    if kinds[-1] is not PackPseudoLabel:
        raise ValueError(
            f'The pipeline of the unlabelled dataset ({names}) drops the confidence: end it with dict(type='
            "'mmdmt.PackPseudoLabel')."
        )
    return [*training[: kinds.index(LoadPseudoLabel)], PackSegInputs()]
