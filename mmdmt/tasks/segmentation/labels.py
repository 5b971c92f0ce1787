"""Load, hide and check the masks of datasets of MMSegmentation."""

import copy
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset
from mmseg.datasets.transforms import PackSegInputs
from numpy.typing import NDArray

from mmdmt.pseudo_labels.manifest import MAX_CLASSES
from mmdmt.pseudo_labels.progress import progress
from mmdmt.tasks.segmentation.bank import PseudoLabelBank
from mmdmt.tasks.segmentation.geometry import check_moves_alike
from mmdmt.tasks.segmentation.recorder import PixelRecorder
from mmdmt.tasks.segmentation.transforms import LoadPseudoLabel, PackPseudoLabel
from mmdmt.tasks.source_files import check_mask_file
from mmdmt.tasks.task import Transform, described


class MaskReader:
    """Load the mask of an image, moved by what moves the image before it is labeled.

    Args:
        loader (LoadAnnotations, optional): Of the labeled dataset. None reads nothing.
        moves (Sequence[Callable]): What the image goes through, its own loading first.
        classes (int): How many there are.
        ignore_index (int): The label that is none.
    """

    def __init__(
        self, loader: LoadAnnotations | None, moves: Sequence[Transform], classes: int, ignore_index: int
    ) -> None:
        # A copy, because the toolbox's loader keeps the reduce_zero_label of the dataset that it first loads for.
        self._loader = copy.deepcopy(loader)
        # Where nothing moves the mask, nothing needs the image.
        self._moves = moves if len(moves) > 1 else ()
        self._classes, self._ignore_index = classes, ignore_index

    def __call__(self, info: dict[str, Any]) -> np.ndarray | None:
        """Load it.

        Args:
            info (dict): The dataset's information on the image; changed.

        Returns:
            np.ndarray | None: (H, W) uint8; None if there is no mask.

        Raises:
            ValueError: If it cannot be read or holds what is no class, naming the file.
        """
        if self._loader is None or info.get('seg_map_path') is None:
            return None
        try:
            results = self._loader(info)
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever the decoder raises
            raise ValueError(f'The mask {info["seg_map_path"]} cannot be read ({error!r}): replace it.') from error
        for move in self._moves:
            results = move(results)
        mask: np.ndarray = results['gt_seg_map']
        if strange := _strange(mask, self._classes, self._ignore_index):
            raise ValueError(f'The mask {info["seg_map_path"]} holds {strange}.')
        return mask


class PixelLabels:
    """Every pixel of an image has a label, in a mask."""

    files = ('img_path', 'seg_map_path')
    label_key = 'seg_map_path'
    max_classes = MAX_CLASSES
    bank = PseudoLabelBank
    recorder = PixelRecorder

    def training_transforms(self, labeled: BaseDataset) -> list[Transform]:
        """Turn the pipeline of annotated images into one of pseudo-labeled images.

        Args:
            labeled (BaseDataset): The labeled dataset.

        Returns:
            list[Callable]: Its transforms, with a pseudo label loaded and packed where it has the annotation.
        """
        pipeline: list[Transform] = []
        for transform in labeled.pipeline.transforms:
            if isinstance(transform, LoadAnnotations):
                pipeline.append(LoadPseudoLabel())
            elif isinstance(transform, PackSegInputs):
                pipeline.append(PackPseudoLabel(meta_keys=transform.meta_keys))
            else:
                pipeline.append(transform)
        return pipeline

    def labeling_transforms(self, training: Sequence[Transform]) -> list[Transform]:
        """Return what an image goes through to be labeled: all that stands before its label is loaded, and packing.

        Args:
            training (Sequence[Callable]): The transforms of a pseudo-labeled image.

        Raises:
            ValueError: If they load annotations, load no pseudo label, or drop its confidence or move it otherwise.
        """
        names = described(training)
        kinds = [type(transform) for transform in training]
        if any(issubclass(kind, LoadAnnotations) for kind in kinds):
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({names}) loads annotations: put dict(type='
                "'mmdmt.LoadPseudoLabel') in place of LoadAnnotations."
            )
        if LoadPseudoLabel not in kinds:
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({names}) loads no pseudo label: put dict(type='
                "'mmdmt.LoadPseudoLabel') where the labeled one loads annotations."
            )
        if kinds[-1] is not PackPseudoLabel:
            raise ValueError(
                f'The pipeline of the unlabeled dataset ({names}) drops the confidence: end it with dict(type='
                "'mmdmt.PackPseudoLabel')."
            )
        place = kinds.index(LoadPseudoLabel)
        loader: Any = training[place]
        check_moves_alike(training[place + 1 : -1], loader.ignore_index)
        return [*training[:place], PackSegInputs()]

    def hide_label(self, info: dict[str, Any]) -> None:
        """Take what says where the mask is out of the information on an unlabeled image."""
        info.pop('seg_map_path', None)

    def truth_reader(self, labeled: Sequence[BaseDataset], labeling: Sequence[Transform]) -> 'MaskReader':
        """Return what loads the mask of an unlabeled image that has one, in the geometry in which it is labeled.

        Args:
            labeled (Sequence[BaseDataset]): The plain labeled datasets; the first says how masks are loaded.
            labeling (Sequence[Callable]): What an image goes through to be labeled, packing included.
        """
        loaders = (step for part in labeled for step in part.pipeline.transforms if isinstance(step, LoadAnnotations))
        moves, classes = labeling[:-1], len(labeled[0].metainfo['classes'])
        return MaskReader(next(loaders, None), moves, classes, _ignore_index(labeled[0]))

    def class_counts(self, labeled: Sequence[BaseDataset]) -> NDArray[np.int64]:
        """Count the pixels of each class in each labeled image.

        Args:
            labeled (Sequence[BaseDataset]): The plain labeled datasets.

        Returns:
            np.ndarray: int64 (images, classes), in the order of the datasets.
        """
        counts = []
        with progress('Counting the pixels of each class', sum(map(len, labeled))) as bar:
            for part in labeled:
                classes = len(part.metainfo['classes'])
                read = self.truth_reader([part], [PackSegInputs()])
                for number in range(len(part)):
                    mask = read(part.get_data_info(number))
                    assert mask is not None  # the files were looked for
                    counts.append(np.bincount(mask[mask < classes].ravel(), minlength=classes))
                    bar.update(1)
        return np.array(counts, np.int64)

    def check_label(self, dataset: BaseDataset, sample: Any) -> None:
        """Check the label of an image that has just been loaded.

        Args:
            dataset (BaseDataset): The labeled dataset.
            sample (SegDataSample): With ``gt_sem_seg``.

        Raises:
            ValueError: If the mask is no image of 8 bits, or holds a label that is no class, naming the file.
        """
        mask = sample.metainfo.get('seg_map_path') or ''
        if mask.endswith('.png'):
            _check_header_once(mask)
        strange = _strange(sample.gt_sem_seg.data, len(dataset.metainfo['classes']), _ignore_index(dataset))
        if strange:
            raise ValueError(
                f'The mask {sample.metainfo.get("seg_map_path")} of {sample.metainfo.get("img_path")} holds {strange}: '
                'convert the mask, or set reduce_zero_label or metainfo classes of the labeled dataset.'
            )

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the images that can be drawn: all, because a bank drops pixels, not images."""
        return range(len(PseudoLabelBank(bank)))


def _check_header_once(mask: str) -> None:
    """Check a mask's header when it is first drawn in this process, and again if the file has changed."""
    path = Path(mask)
    if path.is_file():
        status = path.stat()
        _check_header(mask, status.st_mtime_ns, status.st_size)


@cache
def _check_header(mask: str, modified: int, size: int) -> None:
    check_mask_file(Path(mask), 'convert it to class ids, 255 where ignored')


def _ignore_index(dataset: BaseDataset) -> int:
    return getattr(dataset, 'ignore_index', 255)


def _strange(label: Any, classes: int, ignore_index: int) -> str:
    """Say which label of a mask, an array or a tensor, is no class; '' if there is none."""
    strange = label[(label >= classes) & (label != ignore_index)]
    if not len(strange):
        return ''
    return f'label {int(strange[0])}, but the {classes} classes are 0..{classes - 1} and {ignore_index} is ignored'
