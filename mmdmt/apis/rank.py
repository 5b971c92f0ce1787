"""Rank images by how much two peers disagree on them, and choose which to label next."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdmt.apis.inference import init_peers, read_config
from mmdmt.apis.peer_labels import (
    BankedImages,
    ImagesOfPeers,
    check_new,
    evenly,
    fitted,
    given_images,
    labeled_images,
    mutual_dataset,
    write_csv,
)
from mmdmt.datasets import MutualDataset
from mmdmt.labels.progress import progress
from mmdmt.method.ranking import Comparison, ErrorRates, compare, count_errors, spread
from mmdmt.preparation.image_lists import write_lists

DRAWN = 24


def rank_run(
    config: Path,
    checkpoint: Path,
    images: Path | None,
    out: Path,
    take: int | None = None,
    classes: Sequence[str] = (),
    validate: int = 50,
    device: str = 'cpu',
    num_workers: int = 0,
) -> str:
    """Rank images with a run; write ``rank.csv``, ``rank.png`` (of segmentors) and lists; return what was done.

    Args:
        config: Of the run.
        checkpoint: Of the same.
        images: A folder or a list; None for the run's unlabeled images, from its last banks.
        out: Folder, new or empty.
        take: How many images to label next. Defaults to None, no lists.
        classes: See :func:`rank_images`. Defaults to none.
        validate: How many validation images tell the expected error; 0 leaves it unknown. Defaults to 50.
        device: Defaults to ``'cpu'``.
        num_workers: Processes that load images. Defaults to 0.

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
    scores, found = rank_images(source, classes)
    order = np.argsort(-scores, kind='stable').tolist()
    lists = {}
    if take is not None:
        if not 1 <= take <= len(source.names):
            raise ValueError(f'--take must be in 1..{len(source.names)}, the number of images, got {take}.')
        chosen = [source.names[number] for number in spread(scores, np.array([one.pooled for one in found]), take)]
        lists = {'label_next.txt': chosen} | _lists_of_next_run(dataset, chosen)
    write_lists(out, lists, checkpoint.parent / 'pseudo_labels' if images is None else images)
    head: list[object] = ['image', 'score', 'disagreement', 'doubt', 'expected_error', *source.classes]
    rows = [_row(source.names[number], scores[number], found[number], rates) for number in order]
    write_csv(out / 'rank.csv', [head, *rows])
    if source.space == 'pixels':
        _draw(out / 'rank.png', source, order[:DRAWN], scores)
    disagreement, number = np.mean([one.disagreement for one in found]), len(source.names)
    lines = [
        f'{number} images in {out / "rank.csv"}, by {", ".join(classes) or "doubt"}; the peers disagree on '
        f'{disagreement:.1%}. Expected error: {known}.'
    ]
    return '\n'.join(lines + [f'{len(names)} images in {out / name}' for name, names in lists.items()])


def rank_images(images: ImagesOfPeers, classes: Sequence[str] = ()) -> tuple[NDArray[np.float64], list[Comparison]]:
    """Rank images by the doubt of peers; return scores, the highest to be labeled first, and what they are of.

    Args:
        images: With their peers.
        classes: The classes whose disagreement alone counts, a mean over those that a peer sees in the image.
            Defaults to none, doubt.

    Raises:
        ValueError: If there is no such class.
    """
    unknown = [name for name in classes if name not in images.classes]
    if unknown:
        raise ValueError(f'--classes must be of {", ".join(images.classes)}, got {unknown[0]!r}.')
    number, found = len(images.names), []
    with progress('Comparing peers', number) as bar:
        for view in images.views(range(number)):
            found.append(compare(view.labels, view.confidence, len(images.classes)))
            bar.update(1)
    if not classes:
        return np.array([one.doubt for one in found]), found
    counted = np.array([one.by_class for one in found])[:, [images.classes.index(name) for name in classes]]
    return np.nansum(counted, axis=1) / np.maximum(1, (~np.isnan(counted)).sum(axis=1)), found


def measure_rates(images: ImagesOfPeers, most: int) -> ErrorRates:
    """Count how often the ensemble is wrong where peers agree, and where they do not, on ``most`` images with truth."""
    counts = np.zeros((2, 2), np.int64)
    for view in images.views(evenly(len(images.names), most)):
        if view.truth is not None and view.probability is not None:
            counts += count_errors(view.labels, view.probability.argmax(axis=0), view.truth, len(images.classes))
    agree, disagree = counts[:, 1] / np.maximum(counts[:, 0], 1)
    return ErrorRates(float(agree), float(disagree))


def _row(name: str, score: float, found: Comparison, rates: ErrorRates | None) -> list[object]:
    numbers = (f'{one:.6f}' for one in (score, found.disagreement, found.doubt))
    expected = f'{rates.expected(found.disagreement):.6f}' if rates else ''
    return [name, *numbers, expected, *('' if np.isnan(one) else f'{one:.4f}' for one in found.by_class)]


def _draw(path: Path, images: ImagesOfPeers, numbers: Sequence[int], scores: NDArray[np.float64]) -> None:
    """Draw the first images: what peers agree on in color, the rest in stripes."""
    # Imported here, because a table needs no matplotlib.
    from mmdmt.visualization import AnnotatedImage, draw_data

    sheet = []
    for place, (number, view) in enumerate(zip(numbers, images.views(numbers), strict=True), 1):
        title = f'{place}: {Path(images.names[number]).name}, {scores[number]:.3f}'
        picture = images.picture(number)
        sheet.append(AnnotatedImage(title, picture, fitted(view.agreed, picture)))
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
