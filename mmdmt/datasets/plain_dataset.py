"""Build the labeled and the unlabeled dataset inside a MutualDataset, and check them."""

import os
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset

from mmdmt.labels.space import LabelSpace
from mmdmt.registry import DATASETS
from mmdmt.rules.findings import Finding
from mmdmt.rules.joined_datasets import plain_datasets
from mmdmt.rules.source_files import check_files, check_places, check_text


def build_plain_dataset(name: str, config: dict[str, Any]) -> BaseDataset:
    """Build the ``'labeled'`` or the ``'unlabeled'`` dataset.

    Raises:
        FileNotFoundError: If its folder or list is missing.
        ValueError: If it cannot be built, has no image or, labeled, no classes.
    """
    for part in plain_datasets(config):
        check_text(part)
    try:
        dataset = _build(name, config)
    except (AssertionError, AttributeError, KeyError, NotImplementedError, TypeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is None:
            raise  # a sentence of our own
        check_places(name, config)
        raise ValueError(
            f'The {name} dataset of MutualDataset cannot be built ({" ".join(str(error).split())}): mend its type, '
            'data_root, ann_file, data_prefix or pipeline.'
        ) from error
    if name == 'labeled' and not dataset.metainfo.get('classes'):
        raise ValueError(
            f'The labeled dataset of MutualDataset, a {type(dataset).__name__}, has no classes: give it '
            "metainfo=dict(classes=('road', ...), palette=[...])."
        )
    return dataset


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


def check_annotated(name: str, dataset: BaseDataset, labels: LabelSpace) -> list[Finding]:
    """Check a plain dataset of annotated images before a run starts, and let it check what it loads.

    Raises:
        ValueError: If its list, or one of the images that are looked at, breaks a rule.
        FileNotFoundError: If a file does not exist.
    """
    labels.check_when_loaded(dataset)
    check_list(dataset)
    loads = any(isinstance(transform, LoadAnnotations) for transform in dataset.pipeline.transforms)
    check_files(name, dataset, labels.files if loads else labels.files[:1])
    labels.ignored(name, dataset)  # refuses one that no mask can hold
    return labels.look(name, dataset)


def check_list(dataset: BaseDataset) -> None:
    """Check the lines of the list that a dataset of MMSegmentation was made of, on the local disk.

    A list may come from elsewhere, and a path in it may lead anywhere; links inside the data are the user's own.

    Raises:
        ValueError: If a line is empty, leads out of the data, or ends in a suffix that will be put there again.
    """
    list_file, suffix = getattr(dataset, 'ann_file', ''), getattr(dataset, 'img_suffix', None)
    if suffix is None or getattr(dataset, 'backend_args', None) or not Path(list_file).is_file():
        return
    folder = dataset.data_prefix.get('img_path') or ''
    roots = [os.path.abspath(root) for root in (dataset.data_root, folder) if root]  # noqa: PTH100  links stay as they are
    with Path(list_file).open(encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            place, image = f'line {number} of {list_file}', line.strip()
            if not image:
                raise ValueError(f'{place} is empty: remove it, each line names an image.')
            if image.startswith('\ufeff'):
                raise ValueError(f'{place} starts with a byte order mark: save the list anew as UTF-8 without it.')
            away = os.path.isabs(image) or '..' in image  # noqa: PTH117  many, and a Path takes longer
            if roots and away and not _is_inside(folder, image, roots):
                raise ValueError(
                    f'{place} names {image!r}, which leads out of the data ({" and ".join(dict.fromkeys(roots))}): '
                    'take it off the list, or set data_root to the folder that holds all images.'
                )
            if image.endswith(suffix) and Path(folder, image).is_file() and not Path(folder, image + suffix).is_file():
                raise ValueError(
                    f'{place} names {image!r} with its suffix, but img_suffix={suffix!r} is added to every line: list '
                    'images without it.'
                )


def _is_inside(folder: str, image: str, roots: list[str]) -> bool:
    path = os.path.abspath(os.path.join(folder, image))  # noqa: PTH100, PTH118
    return any(path.startswith(os.path.join(root, '')) for root in roots)  # noqa: PTH118
