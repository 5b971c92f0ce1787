"""Write pseudo labels of a folder of images as PNG files, for any other framework: see ``tools/label.py``."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.logging import print_log
from mmengine.model import BaseModel
from numpy.typing import NDArray

from mmdmt.apis.inference import (
    check_segments,
    confidence_map,
    find_images,
    inference_pipeline,
    predictions,
    suffixes_of,
)
from mmdmt.apis.label_files import REMEDY, LabelFiles, colors_of
from mmdmt.atomic_write import atomic_write
from mmdmt.engine.events import versions
from mmdmt.labels.labeling import weights_digest
from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.labels.progress import progress
from mmdmt.method.calibration import Calibration
from mmdmt.method.confidence_levels import NUM_LEVELS, dequantize, quantize
from mmdmt.method.thresholds import class_thresholds, count_levels
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.segmentors import Segmentors
from mmdmt.rules.file_rules import image_findings, image_planes
from mmdmt.rules.findings import FileError, by_kind
from mmdmt.rules.image_content import read_content

IGNORED, FULL = 255, 65535
#: What is predicted of each pixel, before any is dropped; kept until no file fails, to go on from.
PREDICTED = '.predicted'
STAMP = '.weights_sha256'
_LOOKED_AT = 8


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

    A file that cannot be loaded or predicted is named in the manifest. Masks lie on the pixels as stored in the files,
    whatever EXIF orientation these carry.

    Args:
        model: Of :func:`mmdmt.apis.init_peers`.
        images: The folder, with the folders in it.
        out_dir: New or empty, and outside ``images``; gets ``labels/*.png`` (8-bit class ids as the model's data set
            stores masks, the label that heads ignore where it is dropped), ``confidence/*.png`` (16-bit, value / 65535)
            and, at last, ``manifest.json``.
        label_ratio: Share of each predicted class to keep over the whole folder, in (0, 1]: one threshold for each
            class, as in training.
        threshold: The least probability to keep, in [0, 1]. With neither, all labels are kept.
        num_workers: Processes that load images. Defaults to 0.
        origin: What the manifest shall say of the model, such as its config.
        draw: Whether to write ``overlays/*.jpg``, the labels in color over each image. Defaults to False.
        calibration: Of :func:`mmdmt.apis.calibrate_model`, to write ``calibrated/*.png`` and, of a run's peers,
            ``agreement/*.png`` (8-bit, value / 255).
        go_on: Whether to predict only what ``out_dir`` lacks, by the same model. Defaults to False.

    Returns:
        dict: What is in ``manifest.json``.

    Raises:
        ValueError: If the arguments do not fit, two images would get one file, or no file can be labeled.
        FileNotFoundError: If there is no image.
        FileExistsError: If ``out_dir`` holds anything.
    """
    check_segments(model, 'Labeling')
    if label_ratio is not None and threshold is not None:
        raise ValueError(f'Both a label ratio ({label_ratio}) and a threshold ({threshold}) are given: choose one.')
    if label_ratio is not None and not 0 < label_ratio <= 1:
        raise ValueError(f'The label ratio must be in (0, 1], got {label_ratio}: 0.2 keeps a fifth of each class.')
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f'The threshold must be a probability in [0, 1], got {threshold}.')
    _check_folders(images, out_dir, go_on)
    classes = list(model.dataset_meta['classes'])
    if len(classes) > IGNORED:
        raise ValueError(f'The model has {len(classes)} classes, but a mask of 8 bits holds at most {IGNORED}.')
    loader = Compose(inference_pipeline(model.cfg)[:1]).transforms[0]
    files = LabelFiles(out_dir, _named(images, find_images(images, suffixes_of(model.cfg))), loader)
    _warn_of_content([*files.images.values()], loader)
    colors, (first, dropped) = colors_of(model) if draw else None, _storage_of_labels(model)
    with _claimed(out_dir, go_on):
        weights, stamp = weights_digest(model), out_dir / STAMP
        if stamp.is_file() and stamp.read_text() != weights:
            raise ValueError(f'{out_dir} was labeled by other weights: give another folder.')
        with atomic_write(stamp, REMEDY) as unfinished:
            unfinished.write_text(weights)
        failed = _predict(model, files, num_workers, calibration)
        done = [name for name in files.images if files.path(PREDICTED, name, '').is_file()]
        if not done:
            raise ValueError(next(iter(failed.values())))
        thresholds = np.full(len(classes), threshold or 0, np.float32)
        if label_ratio is not None:
            thresholds = _thresholds(files, done, len(classes), label_ratio)
        predicted, kept = np.zeros((2, IGNORED + 1), np.int64)
        least = np.append(thresholds, np.full(IGNORED + 1 - len(classes), np.inf, np.float32))
        with progress('Writing', len(done)) as bar:
            for name in done:
                labels, levels = decode(files.path(PREDICTED, name, '').read_bytes())
                predicted += np.bincount(labels.ravel(), minlength=IGNORED + 1)
                # Thresholds of classes are edges of levels; a given one may lie within a level.
                sure = dequantize(levels) if threshold is None else files.read('confidence', name) / np.float32(FULL)
                labels[sure < least[labels]] = IGNORED
                kept += np.bincount(labels.ravel(), minlength=IGNORED + 1)
                stored = np.where(labels == IGNORED, dropped, labels + np.uint8(first))
                files.write('labels', name, stored.astype(np.uint8))
                if colors is not None:
                    files.write_overlay(name, labels, colors)
                bar.update(1)
        manifest = {
            'labels': f'labels/*.png: class ids, 8-bit; {dropped} where the label is dropped',
            'geometry': 'that of the pixels as stored in the files, whatever EXIF orientation they carry',
            'confidence': f'confidence/*.png: 16-bit; value / {FULL} is the probability of the predicted class',
            **({} if calibration is None else {'calibration': _described(calibration)}),
            **(origin or {}),
            'weights_sha256': weights,
            'images': len(done),
            'failed': failed,
            'label_ratio': label_ratio,
            'threshold': threshold,
            'classes': {
                name: {
                    'id': number + first,
                    'threshold': None if np.isinf(thresholds[number]) else float(thresholds[number]),
                    'predicted_pixels': int(predicted[number]),
                    'kept_pixels': int(kept[number]),
                }
                for number, name in enumerate(classes)
            },
            'versions': versions(),
        }
        with atomic_write(out_dir / 'manifest.json', REMEDY) as unfinished:
            unfinished.write_text(json.dumps(manifest, indent=1) + '\n')
        if not failed:
            shutil.rmtree(out_dir / PREDICTED)
            stamp.unlink()
    return manifest


def _predict(model: BaseModel, files: LabelFiles, num_workers: int, calibration: Calibration | None) -> dict[str, str]:
    """Write what the model says of every pixel of images that lack it; return a sentence of each file that fails."""
    todo, failed = [name for name in files.images if not files.path(PREDICTED, name, '').is_file()], {}
    with progress('Labeling', len(todo)) as bar:
        samples = predictions(model, [files.images[name] for name in todo], num_workers)
        for name, sample in zip(todo, samples, strict=True):
            bar.update(1)
            if isinstance(sample, str):
                failed[str(files.images[name])] = sample
                continue
            labels = sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
            maps: dict[str, Any] = {'confidence': (confidence_map(sample).cpu().numpy(), np.uint16)}
            if getattr(files.loader, 'nodata', None) is not None:
                nodata = files.loader({'img_path': str(files.images[name])})['nodata']
                labels[nodata], maps['confidence'][0][nodata] = IGNORED, 0
            if calibration is not None:
                calibrated = confidence_map(sample, calibration.temperature).cpu().numpy()
                maps['calibrated'] = calibrated, np.uint8
                if 'peers' in sample:
                    maps['agreement'] = _agreement(sample), np.uint8
            for kind, (values, dtype) in maps.items():
                levels = (values * np.float32(np.iinfo(dtype).max)).round().astype(dtype)
                files.write(kind, name, files.as_stored(levels, name))
            both = (files.as_stored(one, name) for one in (labels, quantize(maps['confidence'][0])))
            files.put(PREDICTED, name, encode(*both))  # at last: what has it is done
    return failed


def _thresholds(files: LabelFiles, names: Sequence[str], classes: int, label_ratio: float) -> NDArray[np.float32]:
    """Return the threshold of each class that keeps this share of what is predicted."""
    counts = torch.zeros(classes, NUM_LEVELS, dtype=torch.int64)
    for name in names:
        labels, levels = decode(files.path(PREDICTED, name, '').read_bytes())
        counts += count_levels(torch.from_numpy(labels), torch.from_numpy(levels.view(np.int16)), classes)
    return np.asarray(class_thresholds(counts, label_ratio).numpy())


def _agreement(sample: Any) -> NDArray[np.float32]:
    """Return the share of the peers that predict the class of the result, (H, W)."""
    peers = [one.pred_sem_seg.data[0] for name, one in sample.peers.items() if name != ENSEMBLE]
    same = torch.stack([one == sample.pred_sem_seg.data[0] for one in peers])
    return np.asarray(same.float().mean(dim=0).cpu().numpy())


def _storage_of_labels(model: BaseModel) -> tuple[int, int]:
    """Return what masks of the model's data set store for the first class, and where there is no label."""
    if model.dataset_meta.get('reduce_zero_label'):
        return 1, 0
    peers = list(getattr(model, 'bare_peers', {'': model}).values())
    ignored = [label for peer in peers for label in Segmentors().ignored('', peer).values()]
    return 0, ignored[0] if ignored and 0 <= ignored[0] <= IGNORED else IGNORED


def _warn_of_content(paths: list[Path], loader: Any) -> None:
    """Warn of what loading drops of some images; refuse those that it mixes up."""
    found = []
    for path in paths[:: -(-len(paths) // _LOOKED_AT)]:
        content = read_content(path.read_bytes())
        with suppress(AssertionError, OSError, ValueError, cv2.error):  # told when the image is labeled
            found += image_findings(str(path), content, loader, loader({'img_path': str(path)})['img'])
        mixed_up = image_planes(str(path), content, loader)
        if mixed_up is not None:
            raise FileError(mixed_up)
    for sentence in by_kind(found):
        print_log(f'WARNING: {sentence}')


@contextmanager
def _claimed(out_dir: Path, go_on: bool) -> Iterator[None]:
    """Make a folder for what is written in the block; if that fails before an image is labeled, leave nothing of it."""
    made = not out_dir.exists()
    try:
        (out_dir / 'labels').mkdir(parents=True, exist_ok=go_on)  # of two that start at once, one makes it
    except FileExistsError:
        raise FileExistsError(f'{out_dir} is being written by another labeling: give another folder.') from None
    try:
        yield
    except BaseException:
        if not (out_dir / PREDICTED).exists() and not any((out_dir / 'labels').iterdir()):
            for name in ('labels', 'confidence', 'calibrated', 'agreement'):
                shutil.rmtree(out_dir / name, ignore_errors=True)
            with suppress(OSError):
                (out_dir / STAMP).unlink()
                if made:
                    out_dir.rmdir()
        raise


def _described(calibration: Calibration) -> dict[str, Any]:
    names = ('share', 'confidence', 'accuracy')
    return {
        'temperature': calibration.temperature,
        'error': calibration.error,
        'calibrated_error': calibration.calibrated_error,
        'reliability': [dict(zip(names, map(float, one), strict=True)) for one in calibration.bins if one[0]],
    }


def _check_folders(images: Path, out_dir: Path, go_on: bool) -> None:
    if out_dir.resolve().is_relative_to(images.resolve()):
        raise ValueError(f'{out_dir} lies in {images}, which is not written to: choose a folder outside it.')
    if not go_on and out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise FileExistsError(
            f'{out_dir} exists and is not overwritten: remove it, give another folder, or go on with --continue.'
        )


def _named(folder: Path, paths: list[Path]) -> dict[str, Path]:
    """Name the files of each image: its path in the folder without the suffix."""
    by_name: dict[str, Path] = {}
    for path in paths:
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in by_name:
            raise ValueError(f'{by_name[name]} and {path} would both be labeled in {name}.png: rename one of them.')
        by_name[name] = path
    return by_name
