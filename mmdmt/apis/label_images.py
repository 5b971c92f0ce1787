"""Write pseudo labels of a folder of images as PNG files, for any other framework: see ``tools/label.py``."""

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.logging import print_log
from mmengine.model import BaseModel
from numpy.typing import NDArray

from mmdmt.apis.inference import (
    agreement_map,
    check_segments,
    confidence_map,
    find_images,
    inference_pipeline,
    predictions,
    suffixes_of,
)
from mmdmt.apis.label_files import FULL, IGNORED, LabelFiles, as_stored, colors_of
from mmdmt.atomic_write import atomic_write, room_to_write
from mmdmt.engine.events import versions
from mmdmt.labels.labeling import weights_digest
from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.labels.progress import progress
from mmdmt.method.calibration import Calibration
from mmdmt.method.confidence_levels import NUM_LEVELS, dequantize, quantize
from mmdmt.method.thresholds import class_thresholds, count_levels
from mmdmt.models.segmentors import Segmentors
from mmdmt.rules.file_rules import image_findings, image_planes
from mmdmt.rules.findings import FileError, by_kind
from mmdmt.rules.image_content import read_content

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_LOOKED_AT = 8
_Labeled = tuple[str, NDArray[np.uint8], NDArray[np.float32]]
_FOLDERS = ('labels', 'confidence', 'calibrated', 'agreement', 'overlays')


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

    A file that cannot be loaded or predicted is named in the manifest; what is labeled stays when the rest fails. Masks
    lie on the pixels as stored in the files, whatever EXIF orientation these carry.

    Args:
        model (BaseModel): Of :func:`mmdmt.apis.init_peers`.
        images (Path): The folder, with the folders in it.
        out_dir (Path): New or empty, and outside ``images``; gets ``labels/*.png`` (8-bit class ids as the model's data
            set stores masks, the label that heads ignore where it is dropped), ``confidence/*.png`` (16-bit, value /
            65535) and, at last, ``manifest.json``.
        label_ratio (float, optional): Share of each predicted class to keep over the whole folder, in (0, 1]: one
            threshold for each class, as in training.
        threshold (float, optional): The least probability to keep, in [0, 1]. With neither, all labels are kept.
        num_workers (int): Processes that load images. Defaults to 0.
        origin (Mapping, optional): What the manifest shall say of the model, such as its config.
        draw (bool): Whether to write ``overlays/*.jpg``, the labels in color over each image. Defaults to False.
        calibration (Calibration, optional): Of :func:`mmdmt.apis.calibrate_model`, to write ``calibrated/*.png`` and,
            of a run's peers, ``agreement/*.png`` (8-bit, value / 255).
        go_on (bool): Whether to label what ``out_dir`` lacks, by the same model and threshold. With a label ratio all
            are predicted anew. Defaults to False.

    Returns:
        dict: What is in ``manifest.json``.

    Raises:
        ValueError: If the arguments do not fit, two images would get one file, or no file can be labeled.
        FileNotFoundError: If there is no image.
        FileExistsError: If ``out_dir`` holds anything.
    """
    check_segments(model, 'Labeling')
    _check_choice(label_ratio, threshold)
    _check_folders(images, out_dir, go_on)
    paths = _named(images, find_images(images, suffixes_of(model.cfg)))
    classes = list(model.dataset_meta['classes'])
    if len(classes) > IGNORED:
        raise ValueError(f'The model has {len(classes)} classes, but a mask of 8 bits holds at most {IGNORED}.')
    loader = Compose(inference_pipeline(model.cfg)[:1]).transforms[0]
    _warn_of_content([*paths.values()], loader)
    with _claimed(out_dir, go_on):
        out = LabelFiles(out_dir, paths, loader, *_storage_of_labels(model), colors_of(model) if draw else None)
        weights, failed = weights_digest(model), dict[str, str]()
        settings = {'weights_sha256': weights, 'threshold': threshold}
        counts = out.read_journal(settings) if label_ratio is None else {}
        todo = [name for name in paths if name not in counts]
        found = _predicted(model, out, todo, num_workers, calibration, failed)
        if label_ratio is None:
            thresholds = np.full(len(classes), threshold or 0, np.float32)
            for name, labels, confidence in found:
                counts[name] = out.write(name, labels, confidence, thresholds)
                out.note(settings, [name, *counts[name]])
        else:
            thresholds = _keep_by_ratio(found, out, counts, label_ratio, len(classes))
        if not counts:
            raise ValueError(next(iter(failed.values())))
        predicted, kept = np.array([*counts.values()], np.int64).sum(axis=0).tolist()
        manifest = {
            'labels': f'labels/*.png: class ids, 8-bit; {out.dropped} where the label is dropped',
            'geometry': 'that of the pixels as stored in the files, whatever EXIF orientation they carry',
            'confidence': f'confidence/*.png: 16-bit; value / {FULL} is the probability of the predicted class',
            **({} if calibration is None else {'calibration': _described(calibration)}),
            **(origin or {}),
            'weights_sha256': weights,
            'images': len(counts),
            'failed': failed,
            'label_ratio': label_ratio,
            'threshold': threshold,
            'classes': {
                name: {
                    'id': number + out.first,
                    'threshold': None if np.isinf(thresholds[number]) else float(thresholds[number]),
                    'predicted_pixels': predicted[number],
                    'kept_pixels': kept[number],
                }
                for number, name in enumerate(classes)
            },
            'versions': versions(),
        }
        with atomic_write(out_dir / 'manifest.json') as unfinished:
            unfinished.write_text(json.dumps(manifest, indent=1) + '\n')
        if not failed:
            out.journal.unlink(missing_ok=True)
    return manifest


def _predicted(
    model: BaseModel,
    out: LabelFiles,
    names: list[str],
    num_workers: int,
    calibration: Calibration | None,
    failed: dict[str, str],
) -> Iterator[_Labeled]:
    """Yield the label and the confidence of images, and note files that fail; maps of all pixels are written."""
    samples = predictions(model, [out.images[name] for name in names], num_workers)
    with progress('Labeling', len(names)) as bar:
        for name, sample in zip(names, samples, strict=True):
            bar.update(1)
            path = out.images[name]
            if isinstance(sample, str):
                failed[str(path)] = sample
                continue
            labels = as_stored(sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8), path, out.loader)
            confidence = as_stored(confidence_map(sample).cpu().numpy(), path, out.loader)
            if getattr(out.loader, 'nodata', None) is not None:
                nodata = out.loader({'img_path': str(path)})['nodata']
                labels[nodata], confidence[nodata] = IGNORED, 0
            if calibration is not None:
                out.write_map('calibrated', name, confidence_map(sample, calibration.temperature).cpu().numpy())
                out.write_map('agreement', name, agreement_map(sample))
            yield name, labels, confidence


def _keep_by_ratio(
    found: Iterable[_Labeled], out: LabelFiles, counts: dict[str, Any], label_ratio: float, classes: int
) -> NDArray[np.float32]:
    """Write all images after the last is labeled, when the thresholds are known; until then they lie beside."""
    histogram, stored = torch.zeros(classes, NUM_LEVELS, dtype=torch.int64), dict[str, Path]()
    with TemporaryDirectory(dir=out.folder, prefix='.labels-') as folder:
        for name, labels, confidence in found:
            stored[name] = Path(folder, str(len(stored)))
            with room_to_write(stored[name]):
                stored[name].write_bytes(encode(labels, levels := quantize(confidence)))
            histogram += count_levels(torch.from_numpy(labels), torch.from_numpy(levels.view(np.int16)), classes)
        thresholds: NDArray[np.float32] = class_thresholds(histogram, label_ratio).numpy()
        with progress('Writing', len(stored)) as bar:
            for name, path in stored.items():
                labels, levels = decode(path.read_bytes())
                counts[name] = out.write(name, labels, dequantize(levels), thresholds)
                bar.update(1)
    return thresholds


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
    """Make a new or empty folder for what is written in the block; if that fails at once, leave nothing of it."""
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
            for name in _FOLDERS:
                shutil.rmtree(out_dir / name, ignore_errors=True)
            with suppress(OSError):
                if made:
                    out_dir.rmdir()
        if isinstance(error, OSError) and error.errno in _FULL_DISK:
            reason = f'{os.strerror(error.errno)} while labels were written: make room and go on with --continue'
            raise OSError(error.errno, reason, str(out_dir)) from error
        raise


def _described(calibration: Calibration) -> dict[str, Any]:
    names = ('share', 'confidence', 'accuracy')
    return {
        'temperature': calibration.temperature,
        'error': calibration.error,
        'calibrated_error': calibration.calibrated_error,
        'reliability': [dict(zip(names, map(float, one), strict=True)) for one in calibration.bins if one[0]],
    }


def _check_choice(label_ratio: float | None, threshold: float | None) -> None:
    if label_ratio is not None and threshold is not None:
        raise ValueError(f'Both a label ratio ({label_ratio}) and a threshold ({threshold}) are given: choose one.')
    if label_ratio is not None and not 0 < label_ratio <= 1:
        raise ValueError(f'The label ratio must be in (0, 1], got {label_ratio}: 0.2 keeps a fifth of each class.')
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f'The threshold must be a probability in [0, 1], got {threshold}.')


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
