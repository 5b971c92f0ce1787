"""Find labeled images whose masks are likely to be wrong, by peers that have not learned these masks."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmdmt.apis.inference import init_peers, read_config
from mmdmt.apis.peer_labels import (
    PredictedImages,
    check_listed,
    check_new,
    fitted,
    labeled_images,
    mutual_dataset,
    write_csv,
)
from mmdmt.labels.progress import progress
from mmdmt.method.contradiction import Region, contradiction, regions
from mmdmt.models.weights import read_checkpoint
from mmdmt.preparation.image_lists import write_lists
from mmdmt.registry import DATASETS
from mmdmt.rules.joined_datasets import plain_datasets
from mmdmt.rules.source_files import name_lists

DRAWN = 12


class Suspect(NamedTuple):
    """A labeled image and how much peers contradict its label."""

    score: float  # of :func:`~mmdmt.method.contradiction.contradiction`
    images: PredictedImages  # what the image is one of
    number: int  # which
    regions: list[Region]  # where peers contradict the label alike, the worst first

    @property
    def name(self) -> str:
        """Of the image, as the list has it."""
        return self.images.names[self.number]


def judge_labels(images: PredictedImages, numbers: Sequence[int]) -> list[Suspect]:
    """Compare the labels of some images with what peers predict, in order; nothing is changed."""
    found = []
    with progress('Comparing labels with peers', len(numbers)) as bar:
        for number, view in zip(numbers, images.views(numbers), strict=True):
            assert view.truth is not None
            assert view.probability is not None
            parts = view.truth, view.labels, view.probability
            found.append(Suspect(contradiction(*parts), images, number, regions(*parts)))
            bar.update(1)
    return found


def plan_folds(config: Path, folds: int, out: Path) -> list[str]:
    """Write the lists that peers are trained on so that each label is judged by peers that have not seen it.

    Images that are neighbors by name, such as frames of a video, stay together.

    Args:
        config: Of the run.
        folds: How many parts, at least 2.
        out: Folder, new or empty; gets ``fold_0.txt`` and so on, the images to train on.

    Returns:
        The command that trains each.

    Raises:
        FileExistsError: If ``out`` holds anything.
        ValueError: If there are fewer labeled images than parts, or they are not files with masks.
    """
    check_new(out)
    dataset = mutual_dataset(read_config(config))
    folder = dataset.parts[0].data_prefix.get('img_path')
    if dataset.labels.name != 'pixels' or not folder:
        raise ValueError(f'The labeled images of {config} are not files with masks, which lists can name.')
    parts = _parts(dataset.labeled_names(), folds)
    lists = {
        f'fold_{number}.txt': [name for part in parts if part is not held for name in part]
        for number, held in enumerate(parts)
    }
    write_lists(out, lists, Path(folder))
    return [
        f'python -m mmdmt train {config} --work-dir {out / Path(name).stem} --cfg-options '
        f'train_dataloader.dataset.labeled.ann_file={(out / name).absolute()}'
        for name in lists
    ]


def find_label_errors(
    config: Path,
    checkpoints: Sequence[Path],
    out: Path,
    images: Path | None = None,
    device: str = 'cpu',
    num_workers: int = 0,
) -> str:
    """Rank labeled images by how much peers contradict their labels; return what was done.

    Args:
        config: Of the run.
        checkpoints: Of one run, or of the runs of :func:`plan_folds`, in its order: each judges what it was not
            trained on.
        out: Folder, new or empty; gets ``errors.csv``, ``regions.csv`` and, of segmentors, ``errors.png``.
        images: List of images to judge, with labels where the labeled ones have theirs. Defaults to None, the labeled
            images of the run.
        device: Defaults to ``'cpu'``.
        num_workers: Processes that load images. Defaults to 0.

    Raises:
        FileExistsError: If ``out`` holds anything.
        ValueError: If something does not fit, or a checkpoint is not of its fold.
    """
    check_new(out)
    settings = read_config(config)
    dataset = mutual_dataset(settings)
    part = next(plain_datasets(name_lists(settings.train_dataloader.dataset)['labeled']))
    if images is not None:
        part = {**part, 'ann_file': str(images.absolute())}
        check_listed(images, DATASETS.build({**part, 'pipeline': []}))
    suspects: list[Suspect] = []
    for number, checkpoint in enumerate(checkpoints):
        source, fold = labeled_images(init_peers(settings, checkpoint, device), part, num_workers), f'fold_{number}.txt'
        held = set(_parts(source.names, len(checkpoints))[number])
        if len(checkpoints) > 1 and fold not in str(read_checkpoint(str(checkpoint), 'it').get('meta')):
            raise ValueError(
                f'{checkpoint} was not trained on {fold}: give the checkpoints of all folds, in their order.'
            )
        suspects += judge_labels(source, [place for place, name in enumerate(source.names) if name in held])
    learned = {one.name for one in suspects} if images is None else set(dataset.labeled_names())
    seen = sum(one.name in learned for one in suspects)
    if seen and len(checkpoints) == 1:
        print_log(
            f'WARNING: the peers were trained on {seen} of the {len(suspects)} labels, which they excuse: train on '
            'parts of them with --folds 2.'
        )
    suspects.sort(key=lambda one: -one.score)
    _write(out, suspects)
    return f'{len(suspects)} labels in {out / "errors.csv"}, the worst is {suspects[0].name} ({suspects[0].score:.3f}).'


def _parts(names: Sequence[str], folds: int) -> list[list[str]]:
    if not 1 <= folds <= len(names):
        raise ValueError(f'{len(names)} labeled images make no {folds} folds: give 2 to {len(names)}.')
    return [part.tolist() for part in np.array_split(sorted(set(names)), folds)]


def _write(out: Path, suspects: Sequence[Suspect]) -> None:
    classes = suspects[0].images.classes
    rows = [[one.name, f'{one.score:.6f}', len(one.regions)] for one in suspects]
    write_csv(out / 'errors.csv', [['image', 'score', 'regions'], *rows])
    found = sorted(((part, one.name) for one in suspects for part in one.regions), key=lambda pair: -pair[0].score)
    head = ['image', 'score', 'label', 'peers', 'pixels', 'left', 'top', 'width', 'height']
    rows = [
        [name, f'{part.score:.2f}', classes[part.masked], classes[part.predicted], part.pixels, *part.box]
        for part, name in found
    ]
    write_csv(out / 'regions.csv', [head, *rows])
    if suspects[0].images.space == 'pixels':
        _draw(out / 'errors.png', suspects[:DRAWN])


def _draw(path: Path, suspects: Sequence[Suspect]) -> None:
    # Imported here, because a table needs no matplotlib.
    from mmdmt.visualization import AnnotatedImage, draw_data

    sheet, images = [], suspects[0].images
    for place, one in enumerate(suspects, 1):
        picture = one.images.picture(one.number)
        (view,) = one.images.views([one.number])
        assert view.truth is not None
        for whose, label in (('label', view.truth), ('peers', view.agreed)):
            title = f'{place}: {Path(one.name).name}, {whose}, {one.score:.2f}'
            sheet.append(AnnotatedImage(title, picture, fitted(label, picture)))
    draw_data(path, sheet, images.classes, images.palette, 2, 'ignored, or the peers disagree')
