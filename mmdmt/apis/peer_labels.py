"""Read or predict what each peer says of images."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from mmdmt.apis.inference import (
    ImageFiles,
    check_segments,
    find_images,
    inference_pipeline,
    load_batches,
    sound,
    suffixes_of,
)
from mmdmt.atomic_write import atomic_write
from mmdmt.datasets import MutualDataset
from mmdmt.datasets.image_names import image_names
from mmdmt.labels.space import space_of_pipeline
from mmdmt.method.calibration import Calibration, calibrate
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.weights import read_checkpoint
from mmdmt.registry import DATASETS
from mmdmt.rules.joined_datasets import all_transforms, plain_datasets

_CALIBRATED_BY = 4096
_DISAGREE = 255
_TWO = 'images are ranked by how far two peers disagree, so give a run of two peers and its checkpoint'


class PeerLabels(NamedTuple):
    """What peers say of an image; the label of a whole image is a map of one pixel."""

    labels: NDArray[Any]  # (peers, H, W), classes
    confidence: NDArray[np.float32]  # (peers, H, W), the probability of each
    probability: NDArray[np.float32] | None = None  # (classes, H, W), the peers' mean softmax; not stored in banks
    truth: NDArray[Any] | None = None  # (H, W), where it is known; labels without a class are ignored

    @property
    def agreed(self) -> NDArray[Any]:
        """The label that all peers give to each pixel, (H, W), 255 where they differ."""
        return np.where((self.labels == self.labels[0]).all(axis=0), self.labels[0], _DISAGREE)


class ImagesOfPeers:
    """Images, named as lists name them, and what peers say of them; ``load`` loads one by its number, packed."""

    def __init__(
        self, names: Sequence[str], space: str, meta: Mapping[str, Any], load: Callable[[int], dict[str, Any]]
    ) -> None:
        self.names, self.space, self.classes, self._load = names, space, list(meta['classes']), load
        given: list[Sequence[int]] = list(meta.get('palette') or ())
        shades = [(one * 67 % 256, one * 131 % 256, one * 29 % 256) for one in range(len(self.classes))]
        self.palette = given if len(given) == len(shades) else shades

    def views(self, numbers: Sequence[int]) -> Iterator[PeerLabels]:
        """Yield what peers say of images, by their numbers."""
        raise NotImplementedError

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Load an image as peers see it, (H, W, channels)."""
        return np.ascontiguousarray(self._load(number)['inputs'].numpy().transpose(1, 2, 0))


class BankedImages(ImagesOfPeers):
    """The unlabeled images of a run, and what its labelers said of them when its last phase with banks began.

    The banks lie in the folder of the checkpoint, and must be of two peers and of the images of the dataset.
    """

    def __init__(self, dataset: MutualDataset, checkpoint: Path) -> None:
        super().__init__(dataset.unlabeled_names(), dataset.labels.name, dataset.metainfo, dataset.labeling_item)
        run = str(read_checkpoint(str(checkpoint), 'the checkpoint').get('dmt', {}).get('run', ''))
        place = checkpoint.parent / 'pseudo_labels' / run
        phases = sorted(place.glob('phase_*'), key=lambda path: int(path.name.partition('_')[2])) if run else []
        if not phases:
            raise FileNotFoundError(
                f'{place} holds no pseudo labels, because the run of {checkpoint} labels online or its folder was '
                'moved: give the images to rank, a folder or a list.'
            )
        self._banks = [dataset.labels.bank(folder) for folder in sorted(phases[-1].iterdir()) if folder.is_dir()]
        for bank in self._banks:
            bank.manifest.check(phases[-1], names=dataset.names_digest())
        if len(self._banks) < 2:
            raise ValueError(f'{phases[-1]} holds the labels of one peer: {_TWO}.')

    def views(self, numbers: Sequence[int]) -> Iterator[PeerLabels]:
        """Read what peers said of images."""
        for number in numbers:
            labels, confidence = zip(*(bank.unfiltered(number) for bank in self._banks), strict=True)
            yield PeerLabels(np.stack(labels), np.stack(confidence))


class PredictedImages(ImagesOfPeers):
    """Images, packed, with the label where it is known, that two peers or more predict when they are asked for."""

    def __init__(
        self, model: BaseModel, items: Dataset[dict[str, Any]], names: Sequence[str], num_workers: int = 0
    ) -> None:
        if not isinstance(model, DynamicMutualTraining) or len(model.peer_names) < 2:
            raise ValueError(f'The config is of one {type(model).__name__} without a second peer: {_TWO}.')
        super().__init__(names, model.kind.space, model.dataset_meta, items.__getitem__)
        self._model, self._items, self._workers = model, items, num_workers

    def views(self, numbers: Sequence[int]) -> Iterator[PeerLabels]:
        """Predict images."""
        for batch in sound(load_batches(self._model, self._items, self._workers, numbers)):
            with torch.no_grad():
                samples = [one for (one,) in self._model.predict_each(batch).values()]
            peers = torch.stack([_softmax(sample) for sample in samples])
            confidence, labels = peers.max(dim=1)
            truth = truth_of(batch['data_samples'][0])
            if truth is not None and truth.shape != labels.shape[1:]:
                raise ValueError(
                    f'The label of {samples[0].get("img_path")} has the size {truth.shape}, its prediction '
                    f'{tuple(labels.shape[1:])}: load labels in the test pipeline after what resizes the image.'
                )
            stacked = [one.cpu().numpy() for one in (labels, confidence, peers.mean(dim=0))]
            yield PeerLabels(stacked[0], stacked[1], stacked[2], truth)


def mutual_dataset(config: Config) -> MutualDataset:
    """Build the dataset that a run trains on, or refuse another kind."""
    init_default_scope(config.get('default_scope', 'mmseg'))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    if not isinstance(dataset, MutualDataset):
        raise ValueError(f'The config trains on a {type(dataset).__name__}, not on a MutualDataset: give one of a run.')
    return dataset


def given_images(model: BaseModel, images: Path, num_workers: int = 0) -> PredictedImages:
    """Take the images of a folder, or those that a text file names as the run's lists do."""
    suffixes = suffixes_of(model.cfg)
    if not images.is_file():
        paths = [str(path) for path in find_images(images, suffixes)]
        names = [Path(path).relative_to(images).with_suffix('').as_posix() for path in paths]
    elif images.suffix.lower() in suffixes:
        raise ValueError(f'{images} is one image: give a folder of images, or a text file with one name a line.')
    else:
        settings = next(plain_datasets(model.cfg.train_dataloader.dataset.unlabeled))
        dataset = DATASETS.build({**settings, 'pipeline': [], 'ann_file': str(images.absolute())})
        check_listed(images, dataset)
        paths = [str(dataset.get_data_info(number)['img_path']) for number in range(len(dataset))]
        names = image_names(paths, dataset)
        missing = [path for path in paths if not Path(path).is_file()]
        if missing:
            raise FileNotFoundError(
                f'{images} names {len(missing)} images that do not exist, first {missing[0]}: name images as the '
                'unlabeled list of the run does.'
            )
    if all(_is_mask(path, len(model.dataset_meta['classes'])) for path in paths[:4]):
        raise ValueError(f'{paths[0]} and others are masks, whose values are all class ids: give the images.')
    items = ImageFiles([Path(path) for path in paths], inference_pipeline(model.cfg))
    return PredictedImages(model, items, names, num_workers)


def _is_mask(path: str, classes: int) -> bool:
    """Whether a file is a picture of class ids; what cannot be read is told when it is loaded."""
    with suppress(OSError, ValueError), Image.open(path) as image:
        values = np.asarray(image)
        return image.mode in ('L', 'P') and bool(((values < classes) | (values == 255)).all())
    return False


def check_listed(images: Path, dataset: Any) -> None:
    """Refuse a list of images that a dataset has not read, such as one of CIFAR-10."""
    lines = [line for line in images.read_text(encoding='utf-8-sig').splitlines() if line.strip()]
    if len(lines) != len(dataset):
        raise ValueError(
            f'{images} names {len(lines)} images, but the {type(dataset).__name__} of this run has {len(dataset)} and '
            'reads no list: leave the list out, or give a folder.'
        )


def labeled_images(model: BaseModel, settings: Any = None, num_workers: int = 0) -> PredictedImages:
    """Take images with labels: those of :func:`evaluated_dataset`."""
    dataset = evaluated_dataset(model.cfg, settings)
    paths = [str(dataset.get_data_info(number).get('img_path', number)) for number in range(len(dataset))]
    return PredictedImages(model, dataset, image_names(paths, dataset), num_workers)


def evaluated_dataset(config: Config, settings: Any = None) -> Any:
    """Build a dataset, or the first that is validated on, whose images go through the pipeline of validation."""
    if not config.get('val_dataloader'):
        raise ValueError('The config has no val_dataloader, whose images with labels are needed: add it.')
    validated = next(plain_datasets(config.val_dataloader.dataset))
    dataset = DATASETS.build({**(settings or validated), 'pipeline': validated.get('pipeline'), 'test_mode': True})
    labels = space_of_pipeline(all_transforms(dataset))
    labels.check_when_loaded(dataset)
    labels.undo_padding('the labeled images', dataset, False)
    return dataset


def calibrate_model(model: BaseModel, most: int = 50, num_workers: int = 0) -> Calibration:
    """Measure on validation images how the confidence of a segmentor, or of an ensemble of them, is to be corrected.

    Args:
        model: Of :func:`mmdmt.apis.init_peers`.
        most: How many images are predicted, evenly spread over all; of each 4096 pixels count. Defaults to 50.
        num_workers: Processes that load images. Defaults to 0.

    Raises:
        ValueError: If the config validates on nothing, or the model classifies, or has one channel for two classes.
    """
    check_segments(model, 'Calibration')
    dataset = evaluated_dataset(model.cfg)
    logits, truths = [], []
    for batch in sound(load_batches(model, dataset, num_workers, evenly(len(dataset), most))):
        truth = truth_of(batch['data_samples'][0])
        with torch.no_grad():
            (sample,) = model.test_step(batch)
        found = sample.seg_logits.data.float().cpu().numpy()
        if len(found) < 2:
            raise ValueError('The model predicts two classes by one channel: calibrate one with a channel for each.')
        assert truth is not None
        known = np.flatnonzero(truth < len(found))
        known = known[:: max(1, known.size // _CALIBRATED_BY)]
        logits.append(found.reshape(len(found), -1).T[known])
        truths.append(truth.ravel()[known])
    return calibrate(np.concatenate(logits), np.concatenate(truths).astype(np.int64))


def evenly(number: int, most: int) -> list[int]:
    """Choose numbers below ``number``, evenly spread and ``most`` of them at most."""
    return sorted({int(place) for place in np.linspace(0, number - 1, min(number, most))})


def truth_of(sample: Any) -> NDArray[Any] | None:
    """Return the label of a packed image, (H, W), or None."""
    if 'gt_sem_seg' in sample:
        return np.asarray(sample.gt_sem_seg.data[0].cpu().numpy())
    return np.asarray(sample.gt_label.cpu().numpy()[None]) if 'gt_label' in sample else None


def _softmax(sample: Any) -> torch.Tensor:
    """Return the softmax of a segmentor, (classes, H, W), or of a classifier, (classes, 1, 1)."""
    if 'seg_logits' in sample:
        return torch.as_tensor(sample.seg_logits.data.float().softmax(dim=0))
    return torch.as_tensor(sample.pred_score.float()[:, None, None])


def check_new(out: Path) -> None:
    """Refuse a folder to write to that holds anything."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f'{out} exists and is not overwritten: remove it, or give another folder.')


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write rows as a CSV file; the folder is made if need be."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding='utf-8')


def fitted(label: NDArray[Any], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a label to the size of a picture."""
    size = picture.shape[1::-1]
    return np.asarray(cv2.resize(label.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.uint8)
