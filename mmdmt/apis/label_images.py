"""Write pseudo labels of a folder of images as PNG files, for any other framework.

OUT_DIR gets::

    labels/*.png         as the model's data set stores masks, 8-bit gray: class ids, from 1 with reduce_zero_label; the
                         label that its heads ignore (255, or 0 with reduce_zero_label) where the label is dropped
    confidence/*.png     16-bit gray, of every pixel: the value / 65535 is the probability of the predicted class
    calibrated/*.png     with a calibration, 8-bit gray: the value / 255 is the probability that the label is right
    agreement/*.png      likewise, of a run's peers: the value / 255 is the share of them that predict the label
    overlays/*.jpg       if asked for: the labels in color over the image, to look at
    manifest.json        how they were made, and the files that failed; written last
    labeled.jsonl        what has been labeled, while not all is; what goes on goes by it

Masks have the geometry of the pixels as they are stored in the files, whatever the test pipeline and an EXIF
orientation make of them.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmengine.dataset import Compose
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from PIL import Image

from mmdmt.apis.confidence import agreement_map
from mmdmt.apis.inference import confidence_map, find_images, inference_pipeline, predictions, suffixes_of
from mmdmt.apis.label_overlays import Overlays, as_stored
from mmdmt.atomic_write import atomic_write, room_to_write
from mmdmt.labels.labeling import weights_digest
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter, PseudoLabelBank
from mmdmt.labels.progress import progress
from mmdmt.method.calibration import Calibration
from mmdmt.method.thresholds import ConfidenceHistogram
from mmdmt.models.segmentors import Segmentors
from mmdmt.registry import TRANSFORMS
from mmdmt.rules.file_rules import image_findings, image_planes
from mmdmt.rules.findings import FileError, by_kind
from mmdmt.rules.image_content import read_content

IGNORED = 255
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_FULL = 65535
_LOOKED_AT = 8
_PACKAGES = ('mmdmt', 'mmengine', 'mmsegmentation', 'torch', 'numpy')


def label_images(
    model: BaseModel,
    images: Path,
    out_dir: Path,
    label_ratio: float | None = None,
    threshold: float | None = None,
    num_workers: int = 0,
    origin: Mapping[str, Any] | None = None,
    draw: bool = False,
    calibration: Calibration | None = None,
    go_on: bool = False,
) -> dict[str, Any]:
    """Label the images of a folder, and keep the labels that are sure enough.

    A file that cannot be loaded or predicted is left out and named in the manifest; what is labeled stays when the rest
    fails.

    Args:
        model (BaseModel): Of :func:`mmdmt.apis.init_peers`.
        images (Path): The folder, with the folders in it.
        out_dir (Path): New or empty, and outside ``images``.
        label_ratio (float, optional): Share of each predicted class to keep over the whole folder, in (0, 1]: one
            threshold for each class, as in training. Defaults to None.
        threshold (float, optional): The least probability to keep, in [0, 1], for all classes. Defaults to None; with
            neither, all labels are kept.
        num_workers (int): Processes that load images. Defaults to 0.
        origin (Mapping, optional): What the manifest shall say of the model, such as its config. Defaults to None.
        draw (bool): Whether to write overlays, too: classes in the colors of the palette over each image; where the
            label is dropped, the image shows. Defaults to False.
        calibration (Calibration, optional): Of :func:`~mmdmt.apis.confidence.calibrate_model`, to write maps of
            calibrated confidence and of agreement, of every pixel. Defaults to None.
        go_on (bool): Whether ``out_dir`` holds the labels of some of the images, by the same model and threshold, of
            which the others are to be labeled. With a label ratio all are predicted anew. Defaults to False.

    Returns:
        dict: What is in ``manifest.json``.

    Raises:
        ValueError: If the arguments do not fit, two images would get one file, or no file can be labeled.
        FileNotFoundError: If there is no image.
        FileExistsError: If ``out_dir`` holds anything.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from mmengine.hub import get_config
        >>> from mmengine.registry import init_default_scope
        >>> from mmseg.registry import MODELS
        >>> config = get_config('mmdmt::digits/dmt_unet-resnet_1xb8_digit-scenes.py')
        >>> init_default_scope('mmseg')
        >>> model = MODELS.build(config.model).eval()  # in real life, of mmdmt.apis.init_peers
        >>> model.cfg, model.dataset_meta = config, {'classes': list('abcdef')}
        >>> with TemporaryDirectory() as folder:
        ...     images, out_dir = Path(folder) / 'photos', Path(folder) / 'labeled'
        ...     images.mkdir()
        ...     Image.new('RGB', (56, 40)).save(images / 'a.png')
        ...     _ = label_images(model, images, out_dir, threshold=0.5)
        ...     sorted(path.relative_to(out_dir).as_posix() for path in out_dir.rglob('*.*'))
        ['confidence/a.png', 'labels/a.png', 'manifest.json']
    """
    _check_choice(label_ratio, threshold)
    _check_folders(images, out_dir, go_on)
    paths = find_images(images, suffixes_of(model.cfg))
    names = _names(images, paths)
    classes = list(model.dataset_meta['classes'])
    if len(classes) > IGNORED:
        raise ValueError(f'The model has {len(classes)} classes, but a mask of 8 bits holds at most {IGNORED}.')
    _warn_of_content(paths, inference_pipeline(model.cfg)[0])
    with _claimed(out_dir, go_on):
        overlays = Overlays(model, out_dir / 'overlays', dict(zip(names, paths, strict=True))) if draw else None
        return _label(model, paths, names, out_dir, label_ratio, threshold, num_workers, origin, overlays, calibration)


def _label(
    model: BaseModel,
    paths: list[Path],
    names: list[str],
    out_dir: Path,
    label_ratio: float | None,
    threshold: float | None,
    num_workers: int,
    origin: Mapping[str, Any] | None,
    overlays: 'Overlays | None',
    calibration: Calibration | None,
) -> dict[str, Any]:
    classes = list(model.dataset_meta['classes'])
    storage, weights = _storage_of_labels(model), weights_digest(model)
    out = _Files(out_dir, len(classes), storage, overlays)
    loader = Compose(inference_pipeline(model.cfg)[:1]).transforms[0]
    histogram, failed = ConfidenceHistogram(len(classes)), dict[str, str]()
    journal = _Journal(out_dir / 'labeled.jsonl', {'weights_sha256': weights, 'threshold': threshold}, len(classes))
    done: list[str] = []

    def label(todo: list[int], take: Callable[[str, np.ndarray, np.ndarray], None]) -> None:
        with progress('Labeling', len(todo)) as bar:
            found = predictions(model, [paths[number] for number in todo], num_workers)
            for number, sample in zip(todo, found, strict=True):
                bar.update(1)
                if isinstance(sample, str):
                    failed[str(paths[number])] = sample
                    continue
                labels, confidence = (as_stored(one, paths[number], loader) for one in _to_numpy(sample))
                if getattr(loader, 'nodata', None) is not None:
                    nodata = loader({'img_path': str(paths[number])})['nodata']
                    labels[nodata], confidence[nodata] = IGNORED, 0
                histogram.update(labels, confidence)
                if calibration is not None:
                    sure = confidence_map(sample, calibration.temperature).cpu().numpy()
                    for folder, values in (('calibrated', sure), ('agreement', agreement_map(sample))):
                        if values is not None:
                            out.write_map(folder, names[number], as_stored(values, paths[number], loader))
                take(names[number], labels, confidence)
                done.append(names[number])

    if label_ratio is None:
        thresholds = np.full(len(classes), threshold or 0, np.float32)
        known = journal.read()

        def keep(name: str, labels: np.ndarray, confidence: np.ndarray) -> None:
            sure = labels != IGNORED
            predicted = np.bincount(labels[sure], minlength=len(classes))
            labels[sure & (confidence < (threshold or 0))] = IGNORED
            out.write(name, labels, confidence)
            journal.note(name, predicted, np.bincount(labels[labels != IGNORED], minlength=len(classes)))

        label([number for number, name in enumerate(names) if name not in known], keep)
        predicted, kept = journal.totals()
        done = sorted({*known, *done})
    else:
        # The thresholds are known after the last image: until then all labels lie in a bank, beside the result.
        with TemporaryDirectory(dir=out_dir, prefix='.bank-') as temporary:
            bank = Path(temporary)
            with BankWriter(bank) as writer:
                label(list(range(len(paths))), lambda _, *maps: writer.write(len(done), *maps))
            thresholds = histogram.thresholds(label_ratio)
            if done:
                _complete(bank, histogram, thresholds, label_ratio, len(done))
                reader = PseudoLabelBank(bank)
                with progress('Writing', len(done)) as bar:
                    for number, name in enumerate(done):
                        out.write(name, *reader.read(number, IGNORED))
                        bar.update(1)
                del reader  # an open file cannot be removed on every file system
        predicted, kept = histogram.totals, out.kept
    if not done:
        raise ValueError(next(iter(failed.values())))
    manifest = {
        'labels': f'labels/*.png: class ids, 8-bit; {storage.dropped} where the label is dropped',
        'geometry': 'that of the pixels as stored in the files, whatever EXIF orientation they carry',
        'confidence': f'confidence/*.png: 16-bit; value / {_FULL} is the probability of the predicted class',
        **({} if calibration is None else {'calibration': _described(calibration)}),
        **(origin or {}),
        'weights_sha256': weights,
        'images': len(done),
        'failed': failed,
        'label_ratio': label_ratio,
        'threshold': threshold,
        'classes': {
            name: {
                'id': number + storage.first,
                'threshold': None if np.isinf(thresholds[number]) else float(thresholds[number]),
                'predicted_pixels': int(predicted[number]),
                'kept_pixels': int(kept[number]),
            }
            for number, name in enumerate(classes)
        },
        'versions': {package: found for package in _PACKAGES if (found := _version(package))},
    }
    with atomic_write(out_dir / 'manifest.json') as unfinished:
        unfinished.write_text(json.dumps(manifest, indent=1) + '\n')
    if not failed:
        journal.path.unlink(missing_ok=True)
    return manifest


class _Journal:
    """What has been labeled with one threshold for all classes, a line an image.

    Args:
        path (Path): The file.
        settings (Mapping): By what all of it is labeled.
        classes (int): How many there are.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], classes: int) -> None:
        self.path, self._settings = path, dict(settings)
        self._totals = np.zeros((2, classes), np.int64)

    def read(self) -> list[str]:
        """Return the names that are labeled.

        Raises:
            ValueError: If they were labeled otherwise.
        """
        if not self.path.is_file():
            return []
        first, *entries = [json.loads(line) for line in self.path.read_text(encoding='utf-8').splitlines() if line]
        if first != self._settings:
            raise ValueError(
                f'{self.path.parent} was labeled by {first}, not by {self._settings}: give another folder.'
            )
        self._totals += np.sum([entry[1:] for entry in entries], axis=0, dtype=np.int64)
        return [entry[0] for entry in entries]

    def note(self, name: str, predicted: np.ndarray, kept: np.ndarray) -> None:
        """Add an image."""
        self._totals += np.stack([predicted, kept])
        lines = [json.dumps([name, predicted.tolist(), kept.tolist()])]
        with room_to_write(self.path), self.path.open('a', encoding='utf-8') as file:
            if not file.tell():
                lines.insert(0, json.dumps(self._settings))
            file.write('\n'.join(lines) + '\n')

    def totals(self) -> np.ndarray:
        """Return the pixels of each class that were predicted, and kept, int64 (2, classes)."""
        return self._totals


def _warn_of_content(paths: list[Path], loading: dict[str, Any]) -> None:
    """Say of some images what their loading drops; refuse those that it mixes up."""
    loader, found = TRANSFORMS.build(loading), []
    for path in paths[:: -(-len(paths) // _LOOKED_AT)]:
        with suppress(AssertionError, OSError, ValueError, cv2.error):  # told when the image is labeled
            image = loader({'img_path': str(path)})['img']
            found += image_findings(str(path), read_content(path.read_bytes()), loader, image)
        mixed_up = image_planes(str(path), read_content(path.read_bytes()), loader)
        if mixed_up is not None:
            raise FileError(mixed_up)
    for sentence in by_kind(found):
        print_log(f'WARNING: {sentence}')


@contextmanager
def _claimed(out_dir: Path, go_on: bool) -> Iterator[None]:
    """Have a new or empty folder for what is written in the block; if that fails at once, leave nothing of it."""
    made = not out_dir.exists()
    out_dir.mkdir(parents=True, exist_ok=True)
    try:
        (out_dir / 'labels').mkdir(exist_ok=go_on)  # of two that start at once, one makes it
    except FileExistsError:
        raise FileExistsError(f'{out_dir} is being written by another labeling: give another folder.') from None
    try:
        yield
    except BaseException as error:
        if next((out_dir / 'labels').rglob('*.png'), None) is None:
            for name in ('labels', 'confidence', 'calibrated', 'agreement', 'overlays'):
                shutil.rmtree(out_dir / name, ignore_errors=True)
            with suppress(OSError):
                if made:
                    out_dir.rmdir()
        if isinstance(error, OSError) and error.errno in _FULL_DISK:
            reason = f'{os.strerror(error.errno)} while labels were written: make room and go on with --continue'
            raise OSError(error.errno, reason, str(out_dir)) from error
        raise


class LabelStorage(NamedTuple):
    """How masks of a data set store labels.

    Args:
        first: What the first class is stored as.
        dropped: What stands where there is no label.
    """

    first: int
    dropped: int


def _storage_of_labels(model: BaseModel) -> LabelStorage:
    """Tell how the data set that a model was trained on stores labels.

    Args:
        model (BaseModel): With ``dataset_meta``; a segmentor, or peers.
    """
    if model.dataset_meta.get('reduce_zero_label'):
        return LabelStorage(1, 0)
    peers = list(getattr(model, 'bare_peers', {'': model}).values())
    ignored = [label for peer in peers for label in Segmentors().ignored('', peer).values()]
    return LabelStorage(0, ignored[0] if ignored and 0 <= ignored[0] <= IGNORED else IGNORED)


class _Files:
    """The files that are written, and what has been kept in them."""

    def __init__(
        self, out_dir: Path, num_classes: int, storage: 'LabelStorage', overlays: 'Overlays | None' = None
    ) -> None:
        self._out_dir, self._storage, self._overlays = out_dir, storage, overlays
        self.kept = np.zeros(num_classes, np.int64)

    def write(self, name: str, labels: np.ndarray, confidence: np.ndarray) -> None:
        """Write the label and the confidence of an image."""
        self.kept += np.bincount(labels.reshape(-1), minlength=256)[: len(self.kept)]
        levels = (confidence * np.float32(_FULL)).round().astype(np.uint16)
        stored = np.where(labels == IGNORED, self._storage.dropped, labels + np.uint8(self._storage.first))
        self._save('labels', name, stored.astype(np.uint8))
        self._save('confidence', name, levels)
        if self._overlays is not None:
            self._overlays.write(name, labels)

    def write_map(self, folder: str, name: str, values: np.ndarray) -> None:
        """Write a map of values in [0, 1] of an image, in 8 bits."""
        self._save(folder, name, (values * np.float32(255)).round().astype(np.uint8))

    def _save(self, folder: str, name: str, picture: np.ndarray) -> None:
        path = self._out_dir / folder / f'{name}.png'
        with room_to_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)


def _described(calibration: Calibration) -> dict[str, Any]:
    """Lay out a calibration for the manifest."""
    return {
        'temperature': calibration.temperature,
        'error': calibration.error,
        'calibrated_error': calibration.calibrated_error,
        'reliability': [
            dict(zip(('share', 'confidence', 'accuracy'), map(float, one), strict=True))
            for one in calibration.bins
            if one[0]
        ],
    }


def _to_numpy(sample: BaseDataElement) -> tuple[np.ndarray, np.ndarray]:
    labels = sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
    return labels, confidence_map(sample).cpu().numpy()


def _complete(bank: Path, histogram: ConfidenceHistogram, thresholds: np.ndarray, ratio: float, images: int) -> None:
    Manifest(
        run='',
        phase=0,
        peer='',
        weights='',
        images=images,
        names='',
        label_ratio=ratio,
        thresholds=tuple(thresholds.tolist()),
        totals=tuple(histogram.totals.tolist()),
        kept=tuple(histogram.kept(thresholds).tolist()),
        shards=1,
    ).write(bank)


def _check_choice(label_ratio: float | None, threshold: float | None) -> None:
    if label_ratio is not None and threshold is not None:
        raise ValueError(f'Both a label ratio ({label_ratio}) and a threshold ({threshold}) are given: choose one.')
    if label_ratio is not None and not 0 < label_ratio <= 1:
        raise ValueError(f'The label ratio is {label_ratio}, but it lies in (0, 1]: 0.2 keeps a fifth of each class.')
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f'The threshold is {threshold}, but it is a probability in [0, 1].')


def _check_folders(images: Path, out_dir: Path, go_on: bool) -> None:
    if out_dir.resolve().is_relative_to(images.resolve()):
        raise ValueError(f'{out_dir} lies in {images}, which is not written to: choose a folder outside it.')
    if not go_on and out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise FileExistsError(
            f'{out_dir} exists and is not overwritten: remove it, give another folder, or go on with --continue.'
        )


def _names(folder: Path, paths: list[Path]) -> list[str]:
    """Name the files of each image: its path in the folder without the suffix."""
    by_name: dict[str, Path] = {}
    for path in paths:
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in by_name:
            raise ValueError(f'{by_name[name]} and {path} would both be labeled in {name}.png: rename one of them.')
        by_name[name] = path
    return list(by_name)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
