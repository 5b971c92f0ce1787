"""Load labeled and pseudo-labeled images for each peer."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from mmengine.dataset import BaseDataset, Compose
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mmdmt.datasets.image_names import find_images_of_list, image_names
from mmdmt.datasets.pipeline_checks import check_labeling_repeats, check_views
from mmdmt.datasets.plain_dataset import build_plain_dataset, check_annotated, check_list
from mmdmt.datasets.transforms.two_views import VIEW_SEED, TwoViews
from mmdmt.labels.space import space_of_pipeline
from mmdmt.method.draws import ONLINE, TRUTH, Draw
from mmdmt.registry import DATASETS
from mmdmt.rules.checked_pipeline import CheckedPipeline
from mmdmt.rules.joined_datasets import all_transforms, plain_datasets
from mmdmt.rules.seeding import seeded
from mmdmt.rules.source_files import check_files, name_lists

MOST_CROPS = 10
"""How often a labeled image is cropped until the class shows for which it was drawn."""


@DATASETS.register_module()
class MutualDataset(Dataset[dict[str, Any]]):
    """Two ordinary datasets, one with labels and one without, as the peers of mutual training see them.

    An item is asked for by a :class:`~mmdmt.method.draws.Draw`, and nothing about it depends on anything else:
    its random transforms are seeded by the draw, its pseudo label is read from the bank that the draw names. Labels of
    unlabeled images, if there are any, are in no item but an oracle's; :meth:`truth` reads them for reports.

    Args:
        labeled (dict): Config of a dataset of MMSegmentation or MMPretrain with its training pipeline.
        unlabeled (dict): Config of a plain dataset. Without a ``pipeline`` it takes the labeled one's, with
            :class:`mmdmt.LoadPseudoLabel` where that one loads annotations and :class:`mmdmt.PackPseudoLabel` where it
            packs; for classification with :class:`mmdmt.LoadPseudoImageLabel` after the image is loaded.
        learner_view (list[dict], optional): Transforms that change the colors of an unlabeled image for the learner
            alone, put before the packing as :class:`mmdmt.TwoViews`. Defaults to None, one view.
        labeled_view (list[dict], optional): Transforms put before the packing of labeled images, as a control.
            Defaults to None.
        lists (str, optional): Path of both lists, with ``{}`` for ``labeled`` and ``unlabeled``, such as
            ``'splits/mine/{}_92.txt'``, relative to the folder in which the run starts; the ``ann_file`` of each
            dataset that has none. Defaults to None.

    Raises:
        ValueError: If one of the datasets is empty, they share images, or the pipeline of the unlabeled one does not
            load pseudo labels.
        FileNotFoundError: If a list, an image folder, an image or a mask of a labeled image is missing.
    """

    def __init__(
        self,
        labeled: dict[str, Any],
        unlabeled: dict[str, Any],
        learner_view: Sequence[dict[str, Any]] | None = None,
        labeled_view: Sequence[dict[str, Any]] | None = None,
        lists: str | None = None,
    ) -> None:
        named = name_lists({'labeled': labeled, 'unlabeled': unlabeled, 'lists': lists})
        labeled, unlabeled = named['labeled'], named['unlabeled']
        self.labeled: BaseDataset = build_plain_dataset('labeled', labeled)
        own_pipeline = unlabeled.get('pipeline')
        views = [TwoViews(learner_view)] if learner_view else []
        self.unlabeled: BaseDataset = build_plain_dataset('unlabeled', {**unlabeled, 'pipeline': own_pipeline or []})
        if not isinstance(self.unlabeled, BaseDataset):
            raise ValueError(
                f'unlabeled of MutualDataset is a {type(self.unlabeled).__name__}: give one plain dataset, such as '
                'BaseSegDataset; a list file (ann_file) can name images of several folders.'
            )
        parts = self.parts
        self.labels = space_of_pipeline(all_transforms(self.labeled))
        if not own_pipeline and parts != [self.labeled]:
            raise ValueError(
                f'labeled of MutualDataset is a {type(self.labeled).__name__}, which has no pipeline of its own to '
                'derive the unlabeled one from: give unlabeled a pipeline with mmdmt.LoadPseudoLabel and '
                'mmdmt.PackPseudoLabel.'
            )
        if not own_pipeline:
            self.unlabeled.pipeline = Compose(self.labels.training_transforms(parts[0]))
        self.unlabeled.pipeline.transforms[-1:-1] = views
        for part in parts:
            part.pipeline.transforms[-1:-1] = Compose(labeled_view or ()).transforms
        self.ignored = self.labels.hand_ignored(parts, self.unlabeled.pipeline.transforms)
        with seeded(0):  # made-up images go through the transforms
            check_views(self.unlabeled.pipeline.transforms, pixels=self.labels.name == 'pixels')
            before_label = self.labels.labeling_transforms(self.unlabeled.pipeline.transforms)
        self._labeling_pipeline = CheckedPipeline(Compose(before_label).transforms)
        self.unlabeled.pipeline = CheckedPipeline(self.unlabeled.pipeline.transforms)
        for part in parts:
            self.labels.check_when_loaded(part)
        self._read_truth = self.labels.truth_reader(parts, before_label)
        with seeded(0):
            self._check_images(parts)

    @property
    def parts(self) -> list[BaseDataset]:
        """The plain datasets that the labeled one joins or repeats."""
        return list(plain_datasets(self.labeled))

    @property
    def metainfo(self) -> dict[str, Any]:
        """Classes and palette, those of the labeled dataset."""
        return self.labeled.metainfo

    def __len__(self) -> int:
        """Return how many images there are, labeled and unlabeled."""
        return len(self.labeled) + len(self.unlabeled)

    def __getitem__(self, draw: Draw | int) -> dict[str, Any]:
        """Load an image as a draw says.

        Args:
            draw (Draw | int): A number is for tools: the labeled images come first, then the unlabeled ones, whose
                labels are ignored.

        Returns:
            dict: ``inputs``, a (3, H, W) uint8 tensor, and ``data_samples`` with the label (``gt_sem_seg`` or
            ``gt_label``), ``peer`` in its meta and, of a pseudo-labeled image, ``pseudo_confidence``.

        Raises:
            ValueError: If a mask has other than 8 bits, or a label beyond the classes, naming the file.
        """
        if not isinstance(draw, Draw):
            return self._numbered(int(draw))
        item = self._labeled_item(draw) if draw.bank is None else self._unlabeled_item(draw)
        item['data_samples'].set_metainfo({'peer': draw.peer, ONLINE: draw.bank == ONLINE})
        return item

    def _numbered(self, number: int) -> dict[str, Any]:
        if not 0 <= number < len(self):
            raise IndexError(f'Image {number} is asked for, but there are {len(self)}.')
        if number < len(self.labeled):
            return self._labeled_item(Draw('', number, number, None))
        number -= len(self.labeled)
        item = self._unlabeled_item(Draw('', number, number, ONLINE))
        self.labels.forget_label(item['data_samples'], self.ignored)
        return item

    def _labeled_item(self, draw: Draw) -> dict[str, Any]:
        for attempt in range(1 if draw.wanted is None else MOST_CROPS):
            with seeded((draw.seed + attempt) % 2**32):
                item: dict[str, Any] = self.labeled[draw.image]
            if draw.wanted is None:
                break
            wanted, least = draw.wanted
            if int((item['data_samples'].gt_sem_seg.data == wanted).sum()) > least:
                break
        return item

    def _unlabeled_item(self, draw: Draw) -> dict[str, Any]:
        asked = {'pseudo_label': (draw.bank, draw.image), ONLINE: draw.bank == ONLINE}
        if draw.view is not None:
            asked[VIEW_SEED] = draw.view
        if draw.bank == TRUTH:
            asked[TRUTH] = self.truth(draw.image)
            if asked[TRUTH] is None:
                raise FileNotFoundError(f'The label of {_path(self._image(draw.image))} is gone: bring it back.')
        with seeded(draw.seed):
            item: Any = self.unlabeled.pipeline({**self._image(draw.image), **asked})
        return item

    def known_items(self, image: int, peer: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Load an unlabeled image with known labels for a rehearsal: two items that differ in their labels alone."""
        with seeded(image):
            items = self.labels.known_items(
                self.unlabeled.pipeline.transforms, self._image(image), len(self.metainfo['classes'])
            )
        for item in items:
            item['data_samples'].set_metainfo({'peer': peer, ONLINE: False})
        return items

    def class_counts(self) -> NDArray[np.int64] | None:
        """Count the pixels of each class in each labeled image, int64 (images, classes); None for classification."""
        counts = self.labels.class_counts(self.parts)
        if counts is None:
            return None
        row = {path: number for number, path in enumerate(path for part in self.parts for path in self._paths(part))}
        # A wrapper may repeat some of the images.
        return counts[[row[path] for path in self._paths(self.labeled)]]

    def num_unlabeled(self) -> int:
        """Return how many images there are to label."""
        return len(self.unlabeled)

    def pseudo_labeled(self, bank: Path) -> Sequence[int]:
        """Return the numbers of the unlabeled images that can be drawn with the labels of a bank."""
        return self.labels.pseudo_labeled(bank)

    def labeling_item(self, index: int) -> dict[str, Any]:
        """Load an unlabeled image to be labeled: what its pipeline does before the label is loaded, then packing."""
        return cast(dict[str, Any], self._labeling_pipeline(self._image(index)))

    def has_truth(self) -> bool:
        """Whether the unlabeled dataset names a label of any image, be it there or not."""
        infos = (self.unlabeled.get_data_info(index) for index in range(len(self.unlabeled)))
        return any(info.get(self.labels.label_key) is not None for info in infos)

    def check_truth(self) -> None:
        """Check that every unlabeled image has a label, for an oracle.

        Raises:
            ValueError: If the dataset names none of an image.
            FileNotFoundError: If a mask does not exist.
        """
        labels = self.labels
        infos = map(self.unlabeled.get_data_info, range(len(self.unlabeled)))
        bare = [_path(info) for info in infos if info.get(labels.label_key) is None]
        if bare:
            raise ValueError(
                f"online.labeler='truth' learns the true labels of the unlabeled dataset, but {len(bare)} of its "
                f'images have none, such as {bare[0]}: name them ({labels.label_key}), or take another labeler.'
            )
        if labels.label_key in labels.files:
            check_files('the unlabeled dataset', self.unlabeled, [labels.label_key])

    def truth(self, index: int) -> np.ndarray | None:
        """Load the label of an unlabeled image, to report how right pseudo labels are; None if there is none.

        Returns:
            np.ndarray | None: The mask in the geometry in which the image is labeled, (H, W), or the class, (1,).
        """
        return self._read_truth(self.unlabeled.get_data_info(index))

    def labeled_indices(self, list_file: str) -> list[int]:
        """Look up which labeled images a list names."""
        return find_images_of_list(list_file, self._paths(self.labeled), self.labeled)

    def names_digest(self) -> str:
        """Return the SHA-256 of the unlabeled images' names, by which a bank knows what it labels."""
        return self._names_digest

    def labeled_names(self) -> list[str]:
        """Return the labeled images as their list names them, in order."""
        return image_names(self._paths(self.labeled), self.labeled)

    def unlabeled_names(self) -> list[str]:
        """Return the unlabeled images as their list names them, in order."""
        return image_names(self._paths(self.unlabeled), self.unlabeled)

    def unlabeled_files(self) -> list[str]:
        """Return the paths of the unlabeled images, in order."""
        return self._paths(self.unlabeled)

    def _image(self, index: int) -> dict[str, Any]:
        info = self.unlabeled.get_data_info(index)
        info.pop(self.labels.label_key, None)
        return info

    @staticmethod
    def _paths(dataset: BaseDataset) -> list[str]:
        return [_path(dataset.get_data_info(number)) for number in range(len(dataset))]

    def _check_images(self, parts: Sequence[BaseDataset]) -> None:
        labeled, unlabeled = self._paths(self.labeled), self._paths(self.unlabeled)
        # Once: asked for at every phase and by every peer, and slow for a large dataset.
        names = '\n'.join(image_names(unlabeled, self.unlabeled))
        self._names_digest = hashlib.sha256(names.encode()).hexdigest()
        learned = set(map(_identity, labeled))
        shared = {path for path in unlabeled if _identity(path) in learned}  # links are the same images
        if shared:
            raise ValueError(
                f'{len(shared)} images are both in the labeled and in the unlabeled dataset, such as {min(shared)}: '
                'take them off the unlabeled list.'
            )
        check_list(self.unlabeled)
        check_files('the unlabeled dataset', self.unlabeled, ['img_path'])
        labels = self.labels
        self.findings = [one for part in parts for one in check_annotated('the labeled dataset', part, labels)]
        self.findings += labels.look('the unlabeled dataset', self.unlabeled)
        if self.labels.name == 'pixels':
            check_labeling_repeats(self._labeling_pipeline.transforms[:-1], self._image(0))


def _path(info: dict[str, Any]) -> str:
    """Return what an image is known by: its path or, where a dataset holds arrays, what they show."""
    if 'img_path' in info:
        return str(info['img_path'])
    return hashlib.sha256(np.ascontiguousarray(info['img']).data).hexdigest()


def _identity(path: str) -> Any:
    """Return what two paths to one file have in common."""
    try:
        status = os.stat(path)  # noqa: PTH116  many, and a Path takes longer
    except OSError:
        return path
    return status.st_dev, status.st_ino
