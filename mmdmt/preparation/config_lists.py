"""Check that the lists of images that a config names fit together; no image is read."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmseg.datasets import BaseSegDataset

from mmdmt.labels.pixels.masks import ignored_label
from mmdmt.labels.space import space_named
from mmdmt.models.peer_kinds import kind_of
from mmdmt.preparation.image_check import ImageSource
from mmdmt.registry import DATASETS, TRANSFORMS, type_name
from mmdmt.rules.facts import Facts
from mmdmt.rules.findings import some
from mmdmt.rules.joined_datasets import plain_datasets
from mmdmt.rules.run_facts import read_data, read_loaders, read_peers
from mmdmt.rules.source_files import check_folders, check_places, name_lists


@dataclass(frozen=True)
class ImageList:
    """The ``'labeled'``, ``'unlabeled'``, ``'val'`` or ``'test'`` images of a config, in ``parts``, plain datasets."""

    name: str
    sources: Sequence[ImageSource]
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    parts: Sequence[BaseSegDataset]

    @property
    def ignore_index(self) -> int:
        """The label that is ignored; 255 if it is one that no mask can hold, which is a problem already."""
        ignored = ignored_label(self.parts[0])
        return ignored if 0 <= ignored <= 255 else 255


def dataset_configs(config: Config) -> dict[str, dict[str, Any]]:
    """Return the configs of the datasets that a config has, by the name of their list."""
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


def read_list(name: str, settings: Mapping[str, Any]) -> ImageList:
    """Build the datasets of a list, which may be joined or repeated, and collect their images; refuse missing files."""
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


def facts_of(lists: Mapping[str, ImageList], config: Config, model: Any) -> Facts:
    """Read the facts that a run would read when it starts."""
    facts, metrics = Facts(), {}
    read_loaders(facts, config)
    if model is not None:
        peers = getattr(model, 'bare_peers', {'': model})
        read_peers(facts, peers, kind_of(*next(iter(peers.items()))))
    if 'labeled' in lists:
        classes = facts['list of classes']['the labeled dataset'] = tuple(lists['labeled'].classes)
        facts['num_classes'][f'the labeled dataset ({", ".join(map(str, classes))})'] = len(classes)
    for place in ('val_evaluator', 'test_evaluator') if lists else ():
        with suppress(Exception):  # whatever a class of a metric raises, which is told where the config is built
            metrics[place] = Evaluator(config.get(place) or []).metrics
    parts = [
        (f'the {name} dataset', part)
        for name, images in lists.items()
        for part in (images.parts if name != 'unlabeled' else ())
    ]
    read_data(facts, space_named('pixels'), parts, metrics)
    return facts


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
    steps = [step for step in pipeline if 'Load' in type_name(step)]
    first = steps[0] if steps else {'type': 'LoadImageFromFile'}
    image = TRANSFORMS.build(dict(first))
    if not isinstance(image, LoadImageFromFile):
        raise ValueError(f'its images come from {first["type"]}, and only files can be checked.')
    if not with_masks:
        return (image,)
    named = next((step for step in steps if type_name(step).endswith('Annotations')), {'type': 'LoadAnnotations'})
    return image, TRANSFORMS.build(dict(named))
