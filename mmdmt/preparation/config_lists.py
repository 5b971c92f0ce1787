"""Check that the lists of images that a config names fit together; no image is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmseg.datasets import BaseSegDataset

from mmdmt.preparation.image_check import ImageSource
from mmdmt.registry import DATASETS

#: How many images a sentence names.
_NAMED = 5


@dataclass(frozen=True)
class ImageList:
    """The images that a config trains, validates or tests with.

    Args:
        name: ``'labeled'``, ``'unlabeled'``, ``'val'`` or ``'test'``.
        sources: The images.
        classes: Names of the classes.
        palette: RGB of each class.
        ignore_index: The label that is no class.
    """

    name: str
    sources: Sequence[ImageSource]
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    ignore_index: int


def dataset_configs(config: Config) -> dict[str, dict[str, Any]]:
    """Return the configs of the datasets that a config has, by the name of their list.

    Args:
        config (Config): Of a run, or of plain training. A test set that is the validation set is left out.
    """
    settings = config.to_dict()
    train, val, test = (
        settings.get(f'{stage}_dataloader', {}).get('dataset', {}) for stage in ('train', 'val', 'test')
    )
    labeled, unlabeled = train.get('labeled', train), train.get('unlabeled')
    if unlabeled and not unlabeled.get('pipeline'):
        unlabeled = {**unlabeled, 'pipeline': labeled.get('pipeline')}  # as mmdmt.MutualDataset does
    found = {'labeled': labeled, 'unlabeled': unlabeled, 'val': val}
    if test != val:
        found['test'] = test
    return {name: dataset for name, dataset in found.items() if dataset}


def read_list(name: str, settings: Mapping[str, Any]) -> ImageList:
    """Build the datasets of a list, without their pipelines, and collect their images.

    Args:
        name (str): Of the list; all but ``'unlabeled'`` need masks.
        settings (Mapping): Config of a dataset, or of one that joins or repeats others.

    Raises:
        ValueError: If there is no image, there are no masks, or the images are not files.
    """
    sources: list[ImageSource] = []
    for part in _plain(settings):
        loaders = _loaders(part.get('pipeline') or [], with_masks=name != 'unlabeled')
        dataset = DATASETS.build({**part, 'pipeline': [], 'serialize_data': False, 'lazy_init': False})
        if not isinstance(dataset, BaseSegDataset):
            raise ValueError(f'a {type(dataset).__name__} has no masks: only data for segmentation can be checked.')
        if not dataset.data_list:
            raise ValueError(
                f'it has no image: check data_root={dataset.data_root!r}, ann_file={dataset.ann_file!r}, '
                f'data_prefix={dataset.data_prefix} and img_suffix={dataset.img_suffix!r}.'
            )
        if len(loaders) > 1 and not dataset.data_prefix.get('seg_map_path'):
            raise ValueError('it has no masks: give its data_prefix a seg_map_path.')
        sources += [ImageSource(entry, loaders) for entry in dataset.data_list]
    meta = dataset.metainfo
    return ImageList(name, sources, meta.get('classes') or (), meta.get('palette') or (), dataset.ignore_index)


def class_problems(lists: Mapping[str, ImageList], config: Config) -> list[str]:
    """Compare the classes of the lists with each other and with the heads of the model."""
    problems = []
    named = {name: tuple(images.classes) for name, images in lists.items() if images.classes}
    if 'labeled' not in lists:
        return []
    if 'labeled' not in named:
        return ['The labeled dataset names no classes: give it metainfo=dict(classes=(...)).']
    classes = named['labeled']
    problems += [
        f'The {name} classes are {others}, but the labeled ones are {classes}: make them the same.'
        for name, others in named.items()
        if others != classes
    ]
    problems += [
        f'{place}.num_classes is {number}, but there are {len(classes)} classes ({", ".join(classes)}): make it '
        f'{len(classes)}.'
        for place, number in _heads('model', config.to_dict().get('model', {}))
        if number != len(classes)
    ]
    return problems


def overlaps(lists: Mapping[str, ImageList]) -> list[str]:
    """Find images that are in two lists. Validation and test may share them."""
    files = {name: {str(Path(source.path).resolve()) for source in images.sources} for name, images in lists.items()}
    return [
        f'{len(shared)} images are both {one} and {other}: {some(sorted(shared))}. Take them off one of the lists.'
        for one, other in combinations(files, 2)
        if (shared := files[one] & files[other]) and {one, other} != {'val', 'test'}
    ]


def some(names: Sequence[str]) -> str:
    """Name the first of many images."""
    more = len(names) - _NAMED
    return ', '.join(names[:_NAMED]) + (f' and {more} more' if more > 0 else '')


def _plain(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the configs of plain datasets that one of MMEngine's wrappers joins or repeats."""
    inner = settings.get('datasets') or ([settings['dataset']] if 'dataset' in settings else [])
    for part in inner:
        yield from _plain(part)
    if not inner:
        yield settings


def _loaders(pipeline: Sequence[Mapping[str, Any]], with_masks: bool) -> tuple[Mapping[str, Any], ...]:
    """Find the transforms of a pipeline that load the image and the mask."""
    steps: list[Mapping[str, Any]] = [step for step in pipeline if '.Load' in f'.{step["type"]}']
    image = steps[0] if steps else {'type': 'LoadImageFromFile'}
    if image['type'] != 'LoadImageFromFile':
        raise ValueError(f'its images come from {image["type"]}, and only files can be checked.')
    if not with_masks:
        return (image,)
    return image, next((step for step in steps if step['type'].endswith('Annotations')), {'type': 'LoadAnnotations'})


def _heads(place: str, settings: Any) -> Iterator[tuple[str, int]]:
    """Yield the place and the number of classes of every head."""
    for key, value in settings.items() if isinstance(settings, dict) else enumerate(settings):
        if isinstance(value, dict | list):
            yield from _heads(f'{place}.{key}', value)
        elif key == 'num_classes' and '_head' in place:
            yield place, value
