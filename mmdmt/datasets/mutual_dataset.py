"""The data of mutual training: labelled and unlabelled images, drawn for each peer."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import BaseDataset, Compose
from torch.utils.data import Dataset

from mmdmt.datasets.pseudo_pipeline import labelling_transforms, training_transforms
from mmdmt.datasets.samplers import Draw
from mmdmt.registry import DATASETS


@DATASETS.register_module()
class MutualDataset(Dataset[dict[str, Any]]):
    """Two ordinary datasets, one with masks and one without, as the peers of mutual training see them.

    An item is asked for by a :class:`~mmdmt.datasets.samplers.Draw`, and nothing about it depends on anything else:
    its random transforms are seeded by the draw, its pseudo label is read from the bank that the draw names. Masks of
    unlabelled images, if there are any, are never read.

    Args:
        labeled (dict): Config of an ordinary dataset with its training pipeline.
        unlabeled (dict): Config of an ordinary dataset. Without a ``pipeline`` it takes the labelled one's, with
            :class:`mmdmt.LoadPseudoLabel` where that one loads annotations and :class:`mmdmt.PackPseudoLabel` where it
            packs.

    Raises:
        ValueError: If one of the datasets is empty, they share images, or the pipeline of the unlabelled one does not
            load pseudo labels.
        FileNotFoundError: If an image or a mask of a labelled image is missing.
    """

    def __init__(self, labeled: dict[str, Any], unlabeled: dict[str, Any]) -> None:
        self.labeled: BaseDataset = _build('labeled', labeled)
        own_pipeline = unlabeled.get('pipeline')
        self.unlabeled: BaseDataset = _build('unlabeled', {**unlabeled, 'pipeline': own_pipeline or []})
        if not isinstance(self.unlabeled, BaseDataset):
            raise ValueError(
                f'unlabeled of MutualDataset is a {type(self.unlabeled).__name__}: give one plain dataset, such as '
                'BaseSegDataset; a list file (ann_file) can name images of several folders.'
            )
        if not own_pipeline:
            self.unlabeled.pipeline = Compose(training_transforms(self.labeled))
        self._labelling_pipeline = Compose(labelling_transforms(self.unlabeled.pipeline.transforms))
        self._check_images()

    @property
    def metainfo(self) -> dict[str, Any]:
        """Classes and palette, those of the labelled dataset."""
        return self.labeled.metainfo

    def __len__(self) -> int:
        """Return how many images there are, labelled and unlabelled."""
        return len(self.labeled) + len(self.unlabeled)

    def __getitem__(self, draw: Draw) -> dict[str, Any]:
        """Load an image as a draw says.

        Returns:
            dict: ``inputs``, a (3, H, W) uint8 tensor, and ``data_samples``, a ``SegDataSample`` with ``gt_sem_seg``
            and ``peer`` in its meta; of a pseudo-labelled image also ``pseudo_confidence``.

        Raises:
            ValueError: If a mask holds a label that is no class, naming the file.
        """
        with _seeded(draw.seed):
            if draw.bank is None:
                item = self.labeled[draw.image]
            else:
                item = self.unlabeled.pipeline({**self._image(draw.image), 'pseudo_label': (draw.bank, draw.image)})
        sample = item['data_samples']
        if draw.bank is None:
            self._check_label(sample)
        sample.set_metainfo({'peer': draw.peer})
        return item

    def num_unlabeled(self) -> int:
        """Return how many images there are to label."""
        return len(self.unlabeled)

    def labelling_item(self, index: int) -> dict[str, Any]:
        """Load an unlabelled image to be labelled: what its pipeline does before the label is loaded, then packing."""
        return self._labelling_pipeline(self._image(index))

    def labeled_indices(self, list_file: str) -> list[int]:
        """Look up which labelled images a list names, for a peer's own part of the labelled set.

        Args:
            list_file (str): Text file of image names as in ``ann_file``, one a line: paths below the image folder
                without suffix, or their last parts.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is empty or names an image that is not in the labelled set.
        """
        if not Path(list_file).is_file():
            raise FileNotFoundError(f'labeled_lists names {list_file}, which does not exist: make the list first.')
        names = [line.strip() for line in Path(list_file).read_text().splitlines() if line.strip()]
        if not names:
            raise ValueError(f'{list_file} names no image: a peer needs at least one labelled image.')
        numbers = {}
        for number, path in enumerate(self._paths(self.labeled)):
            parts = PurePath(path).with_suffix('').parts
            numbers.update({'/'.join(parts[-depth:]): number for depth in range(1, len(parts) + 1)})
        strangers = [name for name in names if name not in numbers]
        if strangers:
            raise ValueError(
                f'{list_file} names {len(strangers)} images that are not in the labelled set, first {strangers[0]!r}: '
                'list names of the labelled ann_file.'
            )
        return [numbers[name] for name in names]

    def names_digest(self) -> str:
        """Return the SHA-256 of the unlabelled images' names, by which a bank knows what it labels."""
        names = [PurePath(path).name for path in self._paths(self.unlabeled)]
        return hashlib.sha256('\n'.join(names).encode()).hexdigest()

    def _image(self, index: int) -> dict[str, Any]:
        info = self.unlabeled.get_data_info(index)
        info.pop('seg_map_path', None)
        return info

    @staticmethod
    def _paths(dataset: BaseDataset) -> list[str]:
        return [dataset.get_data_info(number)['img_path'] for number in range(len(dataset))]

    def _check_images(self) -> None:
        labeled, unlabeled = self._paths(self.labeled), self._paths(self.unlabeled)
        shared = set(labeled) & set(unlabeled)
        if shared:
            raise ValueError(
                f'{len(shared)} images are both in the labelled and in the unlabelled dataset, such as {min(shared)}: '
                'take them off the unlabelled list.'
            )
        for part in _parts(self.labeled):
            _check_files(part, 'img_path', 'seg_map_path')
        _check_files(self.unlabeled, 'img_path')

    def _check_label(self, sample: Any) -> None:
        label, classes = sample.gt_sem_seg.data, len(self.metainfo['classes'])
        ignore_index = getattr(self.labeled, 'ignore_index', 255)
        strange = label[(label >= classes) & (label != ignore_index)]
        if strange.numel():
            raise ValueError(
                f'The mask {sample.metainfo.get("seg_map_path")} of {sample.metainfo.get("img_path")} holds label '
                f'{int(strange[0])}, but the {classes} classes are 0..{classes - 1} and {ignore_index} is ignored: '
                'convert the mask, or set reduce_zero_label or metainfo classes of the labelled dataset.'
            )


def _build(name: str, config: dict[str, Any]) -> BaseDataset:
    try:
        return DATASETS.build(config)
    except ValueError:
        # MMEngine fails on an empty list with a message about arrays; find out whether that is what has happened.
        empty = DATASETS.build({**config, 'lazy_init': True})
        if empty.load_data_list():
            raise
        raise ValueError(
            f'The {name} dataset of MutualDataset has no image: check its data_root={empty.data_root!r}, '
            f'ann_file={empty.ann_file!r}, data_prefix={empty.data_prefix} and img_suffix.'
        ) from None


def _parts(dataset: Any) -> Iterator[BaseDataset]:
    """Yield the plain datasets that MMEngine's wrappers join or repeat."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset
    else:
        for part in inner:
            yield from _parts(part)


def _check_files(dataset: BaseDataset, *keys: str) -> None:
    """Check that the files of a dataset on the local disk exist."""
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    on_disk = any(isinstance(transform, LoadImageFromFile) for transform in transforms)
    if not on_disk or getattr(dataset, 'backend_args', None):
        return
    for number in range(len(dataset)):
        info = dataset.get_data_info(number)
        for key in keys:
            if not Path(info[key]).is_file():
                raise FileNotFoundError(
                    f'{info[key]} ({key} of image {number} of {len(dataset)}) does not exist: check data_root, '
                    'data_prefix, the suffixes and the list of the dataset.'
                )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed every generator that a transform may use, and leave no trace of it."""
    states = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    # Not torch.manual_seed, which would reseed the GPU as well.
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.random.set_rng_state(states[2])
