"""Take over lists of other papers: pairs of image and mask (UniMatch), paths (U2PL, Cityscapes), bare ids (VOC)."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mmdmt.preparation.image_lists import ids_in_folder, read_list
from mmdmt.preparation.known_lists import IDS, KnownList, image_id, recognize

VOC_CONVERTER = 'python tools/dataset_converters/voc_aug.py VOCdevkit VOCaug'
#: The cities that Cityscapes validates on.
VAL_CITIES = ('frankfurt', 'lindau', 'munster')


class Benchmark(NamedTuple):
    """A data set with published lists: the folder of its lists, its title, one of its ids, where configs expect it."""

    name: str
    title: str
    example: str
    data_root: Path


BENCHMARKS: Mapping[str, Benchmark] = {
    'voc': Benchmark('voc12aug', 'VOC 2012', '2007_000032', Path('data/VOCdevkit/VOC2012')),
    'cityscapes': Benchmark('cityscapes', 'Cityscapes', 'aachen_000000_000019', Path('data/cityscapes')),
}


class ImportedList(NamedTuple):
    """The ``'labeled'``, ``'unlabeled'`` or ``'val'`` images of a source file, or of none: those that the others leave.

    ``images`` are named as in our lists, each once, in the order of the file; ``file`` is where the list belongs below
    the folder of the data set.
    """

    source: Path | None
    part: str
    images: tuple[str, ...]
    known: KnownList | None
    file: str


class Stock(NamedTuple):
    """The images of a data set that are on this machine: those to train on and those to validate on."""

    train: tuple[str, ...]
    val: tuple[str, ...]


def import_lists(paths: Sequence[Path], dataset: str, stock: Stock | None, folder: str) -> list[ImportedList]:
    """Read and check lists of one data set, and list the images that a single labeled one leaves.

    Args:
        paths: The files. A list that is not known counts as what the name of its file begins with: ``unlabeled`` or
            ``val``; any other is of labeled images.
        dataset: A key of `BENCHMARKS`.
        stock: The images that there are, or None where they cannot be looked up.
        folder: For lists that are not known.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a list names no image, an image of another data set or one that does not exist, or shares images
            with another or with the validation set.
    """
    benchmark = BENCHMARKS[dataset]
    lists = [_read(path, benchmark, folder) for path in paths]
    for one in lists:
        _check_images(one, benchmark, stock)
    for one, other in combinations(lists, 2):
        if one.file == other.file:
            raise ValueError(f'{one.source} and {other.source} both become {one.file}: import them one by one.')
        shared = sorted(set(one.images) & set(other.images))
        if shared and one.part != other.part:
            raise ValueError(
                f'{len(shared)} images are both in {one.source} ({one.part}) and in {other.source} ({other.part}), '
                f'such as {shared[0]!r}: these lists are not parts of one split.'
            )
    labeled = [one for one in lists if one.part == 'labeled']
    if stock and len(labeled) == 1 and not any(one.part == 'unlabeled' for one in lists):
        rest = tuple(sorted(set(stock.train) - set(labeled[0].images)))
        path = PurePosixPath(labeled[0].file)
        name = f'un{path.name}' if path.name.startswith('labeled') else f'unlabeled_{path.name}'
        if rest:
            lists.append(ImportedList(None, 'unlabeled', rest, recognize(rest), str(path.with_name(name))))
    return lists


def read_stock(dataset: str, data_root: Path) -> Stock:
    """Look up the images of a data set: of VOC below the folder of ``JPEGImages``, of Cityscapes of ``leftImg8bit``."""
    if dataset == 'cityscapes':
        train, val = (ids_in_folder(data_root / 'leftImg8bit' / part, '_leftImg8bit.png') for part in ('train', 'val'))
        return Stock(tuple(train), tuple(val))
    train, val = voc_images(data_root, 'trainaug'), voc_images(data_root, 'val')
    there = set(ids_in_folder(data_root / 'JPEGImages', '.jpg'))
    return Stock(tuple(image for image in train if image in there), tuple(val))


def voc_images(data_root: Path, part: str) -> list[str]:
    """Read a list of VOC 2012, which may hold paths, or refuse a folder that lacks it."""
    path = data_root / 'ImageSets' / 'Segmentation' / f'{part}.txt'
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: give the folder VOCdevkit/VOC2012, with the lists that MMSegmentation's converter "
            f'makes of the SBD masks ({VOC_CONVERTER}).'
        )
    return [image_id(image) for image in read_list(path)]


def _read(path: Path, benchmark: Benchmark, folder: str) -> ImportedList:
    """Read a list in whatever form it has."""
    images = tuple(dict.fromkeys(_named(path, image, benchmark) for image in read_list(path)))
    known = recognize(images)
    stem = PurePosixPath(known.file).stem if known else path.stem
    part = next((part for part in ('unlabeled', 'val') if stem.startswith(part)), 'labeled')
    return ImportedList(path, part, images, known, known.file if known else f'{folder}/{path.name}')


def _named(path: Path, image: str, benchmark: Benchmark) -> str:
    """Name an image as our lists do, after checking that it is one of the data set."""
    name = image_id(image)
    if not IDS[benchmark.name].fullmatch(name):
        other = next((key for key, one in BENCHMARKS.items() if IDS[one.name].fullmatch(name)), None)
        remedy = f'give --dataset {other}' if other else 'give a list of this data set, one image a line'
        raise ValueError(
            f'{path}: {image!r} names no image of {benchmark.title}, whose ids look like {benchmark.example}: {remedy}.'
        )
    return f'{name.split("_")[0]}/{name}' if benchmark.name == 'cityscapes' else name


def _check_images(one: ImportedList, benchmark: Benchmark, stock: Stock | None) -> None:
    """Check that the images of a list exist and are those of its part."""
    if stock:
        train, val = set(stock.train), set(stock.val)
    elif benchmark.name == 'cityscapes':
        val = {image for image in one.images if image.startswith(VAL_CITIES)}
        train = set(one.images) - val
    else:
        return
    own, others, kind = (val, train, 'training') if one.part == 'val' else (train, val, 'validation')
    if wrong := [image for image in one.images if image in others]:
        raise ValueError(
            f'{one.source} ({one.part}) overlaps with the {kind} set of {benchmark.title}: {len(wrong)} of its '
            f'{len(one.images)} images are {kind} images, such as {wrong[0]!r}. Results on such a list count for '
            'nothing: take them off it.'
        )
    if missing := [image for image in one.images if image not in own]:
        raise ValueError(
            f'{one.source} ({one.part}) names {len(missing)} images that do not exist, such as {missing[0]!r}: check '
            f'--data-root, and that it holds the whole of {benchmark.title}.'
        )
