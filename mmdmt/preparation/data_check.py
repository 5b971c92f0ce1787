"""Check the data of a config before training: every image and mask is read once, and everything wrong is listed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import Registry
from numpy.typing import NDArray

from mmdmt.folders import beside_images
from mmdmt.labels.progress import progress
from mmdmt.preparation.config_lists import ImageList, dataset_configs, facts_of, overlaps, read_list
from mmdmt.preparation.image_check import CheckedImage, ImageSource, check_image
from mmdmt.preparation.image_lists import left_out
from mmdmt.preparation.near_duplicates import near_duplicates
from mmdmt.registry import DATASETS, MODELS
from mmdmt.rules.facts import broken
from mmdmt.rules.findings import Finding, by_kind, some
from mmdmt.rules.headers import band_findings, bands_of


@dataclass
class DataReport:
    """Sentences on what has to be mended before training and on what may be intended, and the images of each list."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    images: dict[str, list[CheckedImage]] = field(default_factory=dict)
    lists: dict[str, ImageList] = field(default_factory=dict)


def check_data(config: Config, workers: int = 4) -> DataReport:
    """Check the lists, images and masks of a config, and that its model and datasets can be built.

    Args:
        config (Config): Of a run, or of plain training.
        workers (int): How many images are read at the same time. Defaults to 4.
    """
    report = DataReport()
    for name, settings in dataset_configs(config).items():
        try:
            report.lists[name] = read_list(name, settings)
        except (AssertionError, OSError, ValueError, KeyError, TypeError) as error:
            report.problems.append(f'The {name} list cannot be made: {error}')
    model, refused = built_model(config)
    report.problems += refused
    try:
        report.problems += broken(facts_of(report.lists, config, model))
    except ValueError as error:
        report.problems.append(str(error))
    report.problems += overlaps(report.lists)
    findings: list[Finding] = []
    for name, images in report.lists.items():
        report.images[name] = list(_checked(images, workers))
        findings += advised(images, report.images[name])
    parts = [part for images in report.lists.values() for part in images.parts]
    findings += band_findings(parts, bands_of(getattr(model, 'bare_peers', {'': model}).values()))
    report.problems += by_kind(finding for finding in findings if finding.stops)
    report.warnings += by_kind(finding for finding in findings if not finding.stops)
    for name, images in report.lists.items():
        told = report.problems if name == 'labeled' else report.warnings
        told += absent_classes(images, report.images[name])
        report.warnings += list_warnings(images, report.images[name])
    report.warnings += listed_masks(report.lists)
    # Datasets refuse files, of which the check says more, so they are built when it has found no problem.
    report.problems += [] if report.problems else refused_datasets(config)
    report.warnings += duplicates(report.images) + shared_parts(report.images)
    return report


def built_model(config: Config) -> tuple[Any, list[str]]:
    """Build the model as training does, without weights; None if there is none, or with what it refuses."""
    settings = config.to_dict()
    model = settings.get('model') or {}
    if settings.get('data_preprocessor'):  # as MMEngine's runner does
        model.setdefault('data_preprocessor', settings['data_preprocessor'])
    return _built('model', MODELS, model)


def refused_datasets(config: Config) -> list[str]:
    """Build the datasets as training does, and return what they refuse."""
    settings, datasets = config.to_dict(), {}
    for name in ('train', 'val', 'test'):
        datasets[f'{name}_dataloader.dataset'] = (settings.get(f'{name}_dataloader') or {}).get('dataset') or {}
    return [text for place, dataset in datasets.items() for text in _built(place, DATASETS, dataset)[1]]


def _built(place: str, registry: Registry, settings: Mapping[str, Any]) -> tuple[Any, list[str]]:
    try:
        return registry.build(dict(settings)) if 'type' in settings else None, []
    except Exception as error:  # whatever the classes that it names raise
        return None, [f'Training would refuse {place}: {" ".join(str(error).split())}']


def advised(images: ImageList, checked: Sequence[CheckedImage]) -> list[Finding]:
    """Return all findings of a list; those of labels without a class with what all masks together tell."""
    findings = [finding for image in checked for finding in image.findings]
    counts = [image.counts for image in checked if image.counts is not None]
    classes, ignored = len(images.classes), images.ignore_index
    foreign = np.zeros(256, bool) if not classes else np.arange(256) >= classes
    foreign[ignored] = False
    held = np.sum([count > 0 for count in counts], axis=0) if counts else np.zeros(256, int)
    strange = np.flatnonzero(foreign & (held > 0))
    if len(strange) != 1:
        return findings
    void = int(strange[0])
    if void == classes and not held[0] and len(counts) > 1:
        hint = 'no mask holds 0, so that classes may count from 1: then set reduce_zero_label=True of all datasets'
    else:
        hint = (
            f'if it stands for void, set ignore_index={void} of datasets, heads and metrics and seg_pad_val={void}, or '
            f'convert it to {ignored}; otherwise mend the classes'
        )
    remedy = f'{void} stands in {held[void]} of {len(counts)} {images.name} masks; {hint}'
    return [replace(one, remedy=remedy) if one.kind.startswith('hold labels') else one for one in findings]


def absent_classes(images: ImageList, checked: Sequence[CheckedImage]) -> list[str]:
    """Return which classes stand in no mask of a list, in a sentence: no peer can learn them from the labeled one."""
    held = {image.mask: image.counts for image in checked if image.counts is not None}
    pixels = pixels_of_classes(images, checked)
    absent = [
        name
        for label, (name, count) in enumerate(zip(images.classes, pixels, strict=True))
        if held and not count and label != images.ignore_index
    ]
    if not absent:
        return []
    # Masks in black and white, whose white would be ignored.
    labels, hint = np.flatnonzero(np.sum(list(held.values()), axis=0)), ''
    if len(labels) == 2 and labels[1] == images.ignore_index:
        hint = (
            f' The masks hold {labels[0]} and {labels[1]} alone, and {labels[1]} is ignored: if it stands for a class, '
            'convert them (tools/dataset_converters/color_masks.py).'
        )
    remedy = ' Label some, or take them out of the classes.' if images.name == 'labeled' else ''
    return [f'{", ".join(absent)}: in no {images.name} mask.{remedy}{hint}']


def list_warnings(images: ImageList, checked: Sequence[CheckedImage]) -> list[str]:
    """Return what is odd about the images of a list, in sentences, though training would run."""
    twice = [path for path, count in Counter(image.path for image in checked).items() if count > 1]
    warnings = [f'{len(twice)} images stand more than once in the {images.name} list: {some(twice)}.'] if twice else []
    for part in images.parts:
        folder, suffix = part.data_prefix['img_path'], part.img_suffix
        others = [] if part.ann_file or getattr(part, 'backend_args', None) else left_out(Path(folder), suffix)
        if others:
            warnings.append(
                f'{len(others)} images of {folder} do not end in {suffix!r} and are not in the {images.name} list: '
                f'{some(others)}. A dataset has one img_suffix: rename or convert them.'
            )
    held = {image.mask: image.counts for image in checked if image.counts is not None}
    classes = {mask: np.count_nonzero(counts) - (counts[images.ignore_index] > 0) for mask, counts in held.items()}
    for number, what in ((0, 'are ignored altogether'), (1, 'hold one class only')):
        such = [mask for mask, found in classes.items() if found == number]
        if such:
            warnings.append(f'{len(such)} of {len(held)} {images.name} masks {what}: {some(such)}.')
    return warnings


def listed_masks(lists: Mapping[str, ImageList]) -> list[str]:
    """Find masks and predictions that are listed as images, by their names."""
    parts = [part for images in lists.values() for part in images.parts]
    suffixes = tuple({part.img_suffix for part in parts})
    everything = sorted({Path(source.path) for images in lists.values() for source in images.sources})
    found = {
        path
        for suffix in {part.seg_map_suffix for part in parts}
        for path in beside_images(everything, suffixes, suffix)
    }
    return [
        f'{len(those)} {name} images are masks or predictions of others by their names: {some(those)}. Take them off '
        'the list.'
        for name, images in lists.items()
        if (those := sorted({source.path for source in images.sources if Path(source.path) in found}))
    ]


def duplicates(images: Mapping[str, Sequence[CheckedImage]]) -> list[str]:
    """Find files with the same pixels, within the lists and between them."""
    by_content: dict[bytes, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, checked in images.items():
        for path, digest in {image.path: image.digest for image in checked if image.digest}.items():
            by_content[digest][name].append(path)
    warnings = []
    for one, other in combinations_with_replacement(images, 2):
        pairs = [
            f'{path} = {group[one][0]}'
            for group in by_content.values()
            if one in group and other in group
            for path in group[other]
            if path not in group[one][:1]
        ]
        if pairs:
            others = 'other images' if one == other else f'images of {one}'
            warnings.append(f'{len(pairs)} images of {other} are the same as {others}, pixel by pixel: {some(pairs)}.')
    return warnings


def shared_parts(images: Mapping[str, Sequence[CheckedImage]]) -> list[str]:
    """Find neighbors by name in different lists that have a part of equal pixels, as tiles of one scene have."""
    digests = {image.path: image.digest for checked in images.values() for image in checked}
    lists = {name: [image.path for image in checked if image.digest] for name, checked in images.items()}
    shared = near_duplicates(lists, Path).shared
    found = [f'{one} = {other}' for one, other in shared if digests[one] != digests[other]]
    if not found:
        return []
    return [
        f'{len(found)} pairs of neighbors in different lists have a part of equal pixels: {some(found)}. Make the '
        'lists anew with make_splits --group, which keeps the tiles of a scene together.'
    ]


def pixels_of_classes(images: ImageList, checked: Sequence[CheckedImage]) -> NDArray[np.int64]:
    """Count the pixels of each class, int64 of shape (classes,); none of a class that is ignored."""
    return _total(images, (image.counts for image in checked))


def images_of_classes(images: ImageList, checked: Sequence[CheckedImage]) -> NDArray[np.int64]:
    """Count the images that each class is in, int64 of shape (classes,); none of a class that is ignored."""
    return _total(images, (None if image.counts is None else image.counts > 0 for image in checked))


def _total(images: ImageList, counts: Iterable[NDArray[Any] | None]) -> NDArray[np.int64]:
    total = sum((one for one in counts if one is not None), np.zeros(256, np.int64))
    total[images.ignore_index] = 0
    return total[: len(images.classes)]


def _checked(images: ImageList, workers: int) -> Iterator[CheckedImage]:
    def check(source: ImageSource) -> CheckedImage:
        # A dataset that names no classes is a problem already; its masks are not to blame.
        return check_image(source, len(images.classes) or 256, images.ignore_index)

    with ThreadPoolExecutor(workers) as pool, progress(f'Checking {images.name}', len(images.sources)) as bar:
        for result in pool.map(check, images.sources):
            bar.update(1)
            yield result
