"""Rank images by how much two peers disagree on them, and choose which to label next."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdmt.apis.inference import init_peers, read_config
from mmdmt.apis.peer_labels import (
    BankedImages,
    ImagesOfPeers,
    PeerLabels,
    evenly,
    given_images,
    labeled_images,
    mutual_dataset,
)
from mmdmt.atomic_write import room_to_write
from mmdmt.datasets import MutualDataset
from mmdmt.labels.progress import progress
from mmdmt.method.ranking import ErrorRates, compare, count_errors, spread
from mmdmt.preparation.image_lists import write_lists

SCORES = ('doubt', 'disagreement', 'classes')
DRAWN = 24
_DISAGREE = 255


class Ranking(NamedTuple):
    """Numbers of each image; see :class:`~mmdmt.method.ranking.Comparison`.

    Attributes:
        scores: float64 (images,); the highest are to be labeled first.
        disagreement: float64 (images,).
        doubt: float64 (images,).
        by_class: float64 (images, classes).
        pooled: float16 (images, anything).
    """

    scores: NDArray[np.float64]
    disagreement: NDArray[np.float64]
    doubt: NDArray[np.float64]
    by_class: NDArray[np.float64]
    pooled: NDArray[np.float16]

    @property
    def order(self) -> list[int]:
        """Numbers of the images, those to label first at the top."""
        return np.argsort(-self.scores, kind='stable').tolist()


def rank_run(
    config: Path,
    checkpoint: Path,
    images: Path | None,
    out: Path,
    take: int | None = None,
    by: str = 'doubt',
    classes: Sequence[str] = (),
    validate: int = 50,
    device: str = 'cpu',
    num_workers: int = 0,
) -> str:
    """Rank images with a run; write ``rank.csv``, ``rank.png`` (of segmentors) and lists; return what was done.

    Args:
        config (Path): Of the run.
        checkpoint (Path): Of the same.
        images (Path, optional): A folder or a list; None for the run's unlabeled images, from its last banks.
        out (Path): Folder, new or empty.
        take (int, optional): How many images to label next. Defaults to None, no lists.
        by (str): See :func:`rank_images`. Defaults to ``'doubt'``.
        classes (Sequence[str]): Likewise. Defaults to none.
        validate (int): How many validation images tell the expected error; 0 leaves it unknown. Defaults to 50.
        device (str): Defaults to ``'cpu'``.
        num_workers (int): Processes that load images. Defaults to 0.

    Raises:
        FileNotFoundError: If a file, or all banks, are missing.
        FileExistsError: If ``out`` holds anything.
        ValueError: If something does not fit.
    """
    check_new(out)
    settings = read_config(config)
    model = init_peers(settings, checkpoint, device) if images is not None or validate else None
    dataset = mutual_dataset(settings) if images is None or images.is_file() else None
    source: ImagesOfPeers
    if images is None:
        assert dataset is not None
        source = BankedImages(dataset, checkpoint)
    else:
        assert model is not None
        source = given_images(model, images, num_workers)
    rates, known = None, 'unknown (no validation images were predicted)'
    if model is not None and validate and settings.get('val_dataloader'):
        rates = measure_rates(labeled_images(model, None, num_workers), validate)
        known = f'{rates.agree:.1%} of what the peers agree on is wrong, and {rates.disagree:.1%} of the rest'
    ranking = rank_images(source, by, classes)
    lists = {}
    if take is not None:
        if not 1 <= take <= len(source.names):
            raise ValueError(f'--take must be in 1..{len(source.names)}, the number of images, got {take}.')
        chosen = [source.names[number] for number in spread(ranking.scores, ranking.pooled, take)]
        lists = {'label_next.txt': chosen} | _lists_of_next_run(dataset, chosen)
    write_lists(out, lists, checkpoint.parent / 'pseudo_labels' if images is None else images)
    _write_table(out / 'rank.csv', source, ranking, rates)
    if source.space == 'pixels':
        _draw(out / 'rank.png', source, ranking)
    return '\n'.join(
        [
            f'{len(source.names)} images in {out / "rank.csv"}, by {", ".join(classes) or by}; the peers disagree on '
            f'{ranking.disagreement.mean():.1%}. Expected error: {known}.',
            *(f'{len(names)} images in {out / name}' for name, names in lists.items()),
        ]
    )


def rank_images(images: ImagesOfPeers, by: str = 'doubt', classes: Sequence[str] = ()) -> Ranking:
    """Rank images by what peers say of them.

    Args:
        images (ImagesOfPeers): With their peers.
        by (str): ``'doubt'``, where what peers agree on counts by their confidence, too; ``'disagreement'``, the share
            of pixels; or ``'classes'``, a mean over the classes that a peer sees in the image, rare ones as much as
            others. Defaults to ``'doubt'``.
        classes (Sequence[str]): The classes whose disagreement alone counts; an image without them comes last.
            Defaults to none, all.

    Raises:
        ValueError: If there is no such score or class.
    """
    for place, value, known in (('--by', by, SCORES), *(('--classes', name, images.classes) for name in classes)):
        if value not in known:
            raise ValueError(f'{place} must be of {", ".join(known)}, got {value!r}.')
    number, found = len(images.names), []
    with progress('Comparing peers', number) as bar:
        for view in images.views(range(number)):
            found.append(compare(view.labels, view.confidence, len(images.classes)))
            bar.update(1)
    by_class = np.array([one.by_class for one in found])
    disagreement, doubt = (np.array([getattr(one, name) for one in found]) for name in ('disagreement', 'doubt'))
    scores = doubt if by == 'doubt' else disagreement
    if classes or by == 'classes':
        counted = by_class[:, [images.classes.index(name) for name in classes or images.classes]]
        scores = np.nansum(counted, axis=1) / np.maximum(1, (~np.isnan(counted)).sum(axis=1))
    return Ranking(scores, disagreement, doubt, by_class, np.array([one.pooled for one in found]))


def measure_rates(images: ImagesOfPeers, most: int) -> ErrorRates:
    """Count how often the ensemble is wrong where peers agree, and where they do not, on ``most`` images with truth."""
    counts = np.zeros((2, 2), np.int64)
    for view in images.views(evenly(len(images.names), most)):
        if view.truth is not None and view.probability is not None:
            counts += count_errors(view.labels, view.probability.argmax(axis=0), view.truth, len(images.classes))
    agree, disagree = counts[:, 1] / np.maximum(counts[:, 0], 1)
    return ErrorRates(float(agree), float(disagree))


def check_new(out: Path) -> None:
    """Refuse a folder to write to that holds anything."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f'{out} exists and is not overwritten: remove it, or give another folder.')


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write rows as a CSV file; the folder is made if need be."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(rows)
    with room_to_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.getvalue(), encoding='utf-8')


def agreed_on(view: PeerLabels, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the label that all peers give to each pixel, 255 where they differ, in the size of a picture."""
    same = (view.labels == view.labels[0]).all(axis=0)
    return fitted(np.where(same, view.labels[0], _DISAGREE).astype(np.uint8), picture)


def fitted(label: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a label to the size of a picture."""
    return np.asarray(cv2.resize(label, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


def _write_table(path: Path, images: ImagesOfPeers, ranking: Ranking, rates: ErrorRates | None) -> None:
    rows: list[list[object]] = [['image', 'score', 'disagreement', 'doubt', 'expected_error', *images.classes]]
    for number in ranking.order:
        disagreement = ranking.disagreement[number]
        numbers = (ranking.scores[number], disagreement, ranking.doubt[number])
        expected = f'{rates.expected(disagreement):.6f}' if rates else ''
        by_class = ('' if np.isnan(one) else f'{one:.4f}' for one in ranking.by_class[number])
        rows.append([images.names[number], *(f'{one:.6f}' for one in numbers), expected, *by_class])
    write_csv(path, rows)


def _draw(path: Path, images: ImagesOfPeers, ranking: Ranking) -> None:
    """Draw the first images: what peers agree on in color, the rest in stripes."""
    # Imported here, because a table needs no matplotlib.
    from mmdmt.visualization import AnnotatedImage, draw_data

    numbers, sheet = ranking.order[:DRAWN], []
    for place, (number, view) in enumerate(zip(numbers, images.views(numbers), strict=True), 1):
        picture = images.picture(number)
        title = f'{place}: {Path(images.names[number]).name}, {ranking.scores[number]:.3f}'
        sheet.append(AnnotatedImage(title, picture, agreed_on(view, picture)))
    draw_data(path, sheet, images.classes, images.palette, striped='peers disagree')


def _lists_of_next_run(dataset: MutualDataset | None, taken: Sequence[str]) -> dict[str, list[str]]:
    """Add images to the labeled list of a run, if they are on its unlabeled one and both name images alike."""
    if dataset is None:
        return {}
    unlabeled, parts = dataset.unlabeled_names(), [*dataset.parts, dataset.unlabeled]
    folders = {str((getattr(part, 'data_prefix', None) or {}).get('img_path')) for part in parts}
    if len(folders) > 1 or not set(taken) <= set(unlabeled):
        return {}
    return {
        'labeled.txt': list(dict.fromkeys([*dataset.labeled_names(), *taken])),
        'unlabeled.txt': [name for name in unlabeled if name not in set(taken)],
    }
