"""Check that the lists of images that a config names fit together; no image is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.dataset import Compose
from mmseg.datasets import BaseSegDataset

from mmdmt.labels.pixels.label_facts import ignored_label, ignored_places
from mmdmt.preparation.image_check import ImageSource
from mmdmt.registry import DATASETS, TRANSFORMS, type_name
from mmdmt.rules.checked_pipeline import check_when_loaded
from mmdmt.rules.facts import IGNORED, IGNORED_REMEDY, ONE_CLASS_REMEDY, REDUCED, REDUCED_REMEDY, difference
from mmdmt.rules.findings import some
from mmdmt.rules.joined_datasets import plain_datasets
from mmdmt.rules.source_files import check_folders, check_places, name_lists


@dataclass(frozen=True)
class ImageList:
    """The images that a config trains, validates or tests with.

    Args:
        name: ``'labeled'``, ``'unlabeled'``, ``'val'`` or ``'test'``.
        sources: The images.
        classes: Names of the classes.
        palette: RGB of each class.
        parts: The plain datasets that it joins.
    """

    name: str
    sources: Sequence[ImageSource]
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    parts: Sequence[BaseSegDataset]

    @property
    def ignore_index(self) -> int:
        """The label that is ignored; 255 if the dataset names one that no mask can hold, which is a problem already."""
        ignored = ignored_label(self.parts[0])
        return ignored if 0 <= ignored <= 255 else 255


def dataset_configs(config: Config) -> dict[str, dict[str, Any]]:
    """Return the configs of the datasets that a config has, by the name of their list.

    Args:
        config (Config): Of a run, or of plain training. A test set that is the validation set is left out.
    """
    settings = config.to_dict()
    train, val, test = (
        settings.get(f'{stage}_dataloader', {}).get('dataset', {}) for stage in ('train', 'val', 'test')
    )
    train = name_lists(train)
    labeled, unlabeled = train.get('labeled', train), train.get('unlabeled')
    if unlabeled and not unlabeled.get('pipeline'):
        unlabeled = {**unlabeled, 'pipeline': labeled.get('pipeline')}  # as mmdmt.MutualDataset does
    found = {'labeled': labeled, 'unlabeled': unlabeled, 'val': val}
    if test != val:
        found['test'] = test
    return {name: dataset for name, dataset in found.items() if dataset}


def pipelines(config: Config) -> dict[str, list[dict[str, Any]]]:
    """Return the transforms of each list, of a dataset that joins others those of the first.

    Args:
        config (Config): Of a run, or of plain training.
    """
    first = {name: next(iter(plain_datasets(settings))) for name, settings in dataset_configs(config).items()}
    return {name: list(settings.get('pipeline') or ()) for name, settings in first.items()}


def read_list(name: str, settings: Mapping[str, Any]) -> ImageList:
    """Build the datasets of a list, and collect their images.

    Args:
        name (str): Of the list; all but ``'unlabeled'`` need masks.
        settings (Mapping): Config of a dataset, or of one that joins or repeats others.

    Raises:
        FileNotFoundError: If its list or a folder does not exist.
        ValueError: If there is no image, there are no masks, or the images are not files.
    """
    with_masks = name != 'unlabeled'
    check_places(name, settings)
    sources: list[ImageSource] = []
    parts: list[BaseSegDataset] = []
    for part in plain_datasets(settings):
        loaders = _loaders(part.get('pipeline') or [], with_masks)
        dataset = DATASETS.build({**part, 'pipeline': [], 'serialize_data': False, 'lazy_init': False})
        if not isinstance(dataset, BaseSegDataset):
            raise ValueError(f'a {type(dataset).__name__} has no masks: only data for segmentation can be checked.')
        check_folders(f'the {name} dataset', dataset, ['img_path', 'seg_map_path'][: len(loaders)])
        if not dataset.data_list:
            raise ValueError(
                f'it has no image: check data_root={dataset.data_root!r}, ann_file={dataset.ann_file!r}, '
                f'data_prefix={dataset.data_prefix} and img_suffix={dataset.img_suffix!r}.'
            )
        if len(loaders) > 1 and not dataset.data_prefix.get('seg_map_path'):
            raise ValueError('it has no masks: give its data_prefix a seg_map_path.')
        sources += [ImageSource(entry, *loaders) for entry in dataset.data_list]
        dataset.pipeline = Compose(part.get('pipeline') or [])  # its transforms may pad
        parts.append(dataset)
    meta = parts[-1].metainfo
    return ImageList(name, sources, meta.get('classes') or (), meta.get('palette') or (), parts)


def class_problems(lists: Mapping[str, ImageList], config: Config) -> list[str]:
    """Compare the classes of the lists with each other and with the heads of the model."""
    problems = []
    named = {name: tuple(images.classes) for name, images in lists.items() if images.classes}
    if 'labeled' not in lists:
        return []
    if 'labeled' not in named:
        return ['The labeled dataset names no classes: give it metainfo=dict(classes=(...)).']
    classes = named['labeled']
    if len(classes) == 1:
        problems.append(f'The only class is {classes[0]}: {ONE_CLASS_REMEDY}.')
    problems += [
        f'The {name} classes are {others}, but the labeled ones are {classes}: make them the same.'
        for name, others in named.items()
        if others != classes
    ]
    problems += [
        f'{place}.num_classes is {head["num_classes"]}, but there are {len(classes)} classes ({", ".join(classes)}): '
        f'make it {len(classes)}.'
        for place, head in heads(config)
        if head['num_classes'] != len(classes)
    ]
    return problems


def fact_problems(lists: Mapping[str, ImageList], config: Config) -> list[str]:
    """Compare the ignored label, and whether label zero is dropped, wherever datasets, heads and metrics have them."""
    ignored: dict[str, Any] = {f'{place}.ignore_index': head.get('ignore_index', 255) for place, head in heads(config)}
    settings = config.to_dict()
    for part in ('model', 'data_preprocessor'):
        for place, padding in _preprocessors(part, settings.get(part) or {}):
            ignored[f'{place}.seg_pad_val'] = padding.get('seg_pad_val', 255)
    reduced: dict[str, Any] = {}
    problems = []
    for name, images in lists.items():
        for part in images.parts if name != 'unlabeled' else ():
            try:
                ignored |= ignored_places(f'the {name} dataset', part)
            except ValueError as error:
                problems.append(str(error))
            reduced[f'the {name} dataset'] = bool(part.reduce_zero_label)
    for place in ('val_evaluator', 'test_evaluator') if lists else ():
        for metric in _metrics(config.get(place)):
            ignored[f'{metric.get("type")} of {place}'] = metric.get('ignore_index', 255)
    found = (difference(IGNORED, ignored, IGNORED_REMEDY), difference(REDUCED, reduced, REDUCED_REMEDY))
    return [*problems, *(sentence for sentence in found if sentence)]


def heads(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """Return the place and the config of every head of a model that names its classes."""
    return list(_heads('model', config.to_dict().get('model', {})))


def overlaps(lists: Mapping[str, ImageList]) -> list[str]:
    """Find images that are in two lists. Validation and test may share them."""
    files = {name: {str(Path(source.path).resolve()) for source in images.sources} for name, images in lists.items()}
    return [
        f'{len(shared)} images are both {one} and {other}: {some(sorted(shared))}. Take them off one of the lists.'
        for one, other in combinations(files, 2)
        if (shared := files[one] & files[other]) and {one, other} != {'val', 'test'}
    ]


def _loaders(pipeline: Sequence[Mapping[str, Any]], with_masks: bool) -> tuple[Any, ...]:
    """Build the transforms of a pipeline that load the image and the mask."""
    steps = [step for step in pipeline if 'Load' in _name(step)]
    first = steps[0] if steps else {'type': 'LoadImageFromFile'}
    image = TRANSFORMS.build(dict(first))
    if not isinstance(image, LoadImageFromFile):
        raise ValueError(f'its images come from {_name(first)}, and only files can be checked.')
    if not with_masks:
        return (image,)
    named = next((step for step in steps if _name(step).endswith('Annotations')), {'type': 'LoadAnnotations'})
    mask = TRANSFORMS.build(dict(named))
    check_when_loaded(mask)
    return image, mask


def _name(step: Mapping[str, Any]) -> str:
    kind = step['type']
    return kind if isinstance(kind, str) else kind.__name__


def _heads(place: str, settings: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in settings.items() if isinstance(settings, dict) else enumerate(settings):
        if isinstance(value, dict | list):
            yield from _heads(f'{place}.{key}', value)
        elif key == 'num_classes' and '_head' in place:
            yield place, settings


def _preprocessors(place: str, settings: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the config of everything that pads labels to make a batch."""
    if isinstance(settings, dict) and type_name(settings) == 'SegDataPreProcessor':
        yield place, settings
    for key, value in settings.items() if isinstance(settings, dict) else enumerate(settings):
        if isinstance(value, dict | list):
            yield from _preprocessors(f'{place}.{key}', value)


def _metrics(evaluator: Any) -> list[dict[str, Any]]:
    """Return the configs of the metrics of an evaluator that compute an IoU."""
    found = evaluator if isinstance(evaluator, list) else [evaluator or {}]
    inner = [metric.get('metric', metric) for metric in found]
    return [metric for metric in inner if str(metric.get('type', '')).endswith('IoUMetric')]
