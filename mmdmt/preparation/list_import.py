"""Take over the lists of other papers, in the forms in which they are published.

UniMatch writes pairs of image and mask, U2PL paths of images (Cityscapes) and bare ids (VOC). Whichever it is, the list
is read as it stands, checked, recognized, and rewritten as an ``ann_file`` of ours.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath

from mmdmt.preparation.image_lists import ids_in_folder, read_list
from mmdmt.preparation.known_lists import IDS, KnownList, image_id, recognize

FORMS = {'pair': 'a pair of image and mask', 'path': 'the path of an image', 'id': 'a bare id'}
VOC_CONVERTER = 'python tools/dataset_converters/voc_aug.py VOCdevkit VOCaug'
#: The cities that Cityscapes validates on.
VAL_CITIES = ('frankfurt', 'lindau', 'munster')


@dataclass(frozen=True)
class Benchmark:
    """A data set for which lists are published.

    Args:
        name: Of the folder of its lists.
        title: What it is called.
        example: One of its ids.
        data_root: Where the configs expect it.
    """

    name: str
    title: str
    example: str
    data_root: Path


BENCHMARKS: Mapping[str, Benchmark] = {
    'voc': Benchmark('voc12aug', 'VOC 2012', '2007_000032', Path('data/VOCdevkit/VOC2012')),
    'cityscapes': Benchmark('cityscapes', 'Cityscapes', 'aachen_000000_000019', Path('data/cityscapes')),
}


@dataclass(frozen=True)
class ImportedList:
    """A list that was read from a file, or is of the images that the others leave.

    Args:
        source: The file, if any.
        part: ``'labeled'``, ``'unlabeled'`` or ``'val'``.
        images: As our lists name them, each once, in the order of the file.
        repeated: The images that the file names more than once.
        known: Which published list it is, if any.
        file: Where it belongs below the folder of the data set.
    """

    source: Path | None
    part: str
    images: tuple[str, ...]
    repeated: tuple[str, ...]
    known: KnownList | None
    file: str


@dataclass(frozen=True)
class Stock:
    """The images of a data set that are on this machine: those to train on and those to validate on."""

    train: tuple[str, ...]
    val: tuple[str, ...]


def import_lists(paths: Sequence[Path], dataset: str, stock: Stock | None, folder: str) -> list[ImportedList]:
    """Read and check lists of one data set.

    Args:
        paths: The files. A list that is not known counts as what the name of its file begins with: ``unlabeled`` or
            ``val``; any other is of labeled images.
        dataset: A key of `BENCHMARKS`.
        stock: The images that there are, or None where they cannot be looked up.
        folder: For lists that are not known.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a list mixes forms, names no image, an image of another data set or one that does not exist, or
            shares images with another or with the validation set.
    """
    lists = [_read(path, BENCHMARKS[dataset], folder) for path in paths]
    for one in lists:
        _check_images(one, BENCHMARKS[dataset], stock)
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
            lists.append(ImportedList(None, 'unlabeled', rest, (), recognize(rest), str(path.with_name(name))))
    return lists


def read_stock(dataset: str, data_root: Path) -> Stock:
    """Look up the images of a data set: of VOC below the folder of ``JPEGImages``, of Cityscapes of ``leftImg8bit``."""
    if dataset == 'cityscapes':
        train, val = (ids_in_folder(data_root / 'leftImg8bit' / part, '_leftImg8bit.png') for part in ('train', 'val'))
        return Stock(tuple(train), tuple(val))
    lists = data_root / 'ImageSets' / 'Segmentation'
    check_voc(lists / 'trainaug.txt')
    train, val = ([image_id(image) for image in read_list(lists / f'{part}.txt')] for part in ('trainaug', 'val'))
    there = set(ids_in_folder(data_root / 'JPEGImages', '.jpg'))
    return Stock(tuple(image for image in train if image in there), tuple(val))


def check_voc(path: Path) -> None:
    """Refuse a VOC 2012 without one of its lists."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: give the folder VOCdevkit/VOC2012, with the lists that MMSegmentation's converter "
            f'makes of the SBD masks ({VOC_CONVERTER}).'
        )


def _read(path: Path, benchmark: Benchmark, folder: str) -> ImportedList:
    """Read a list in whatever form it has."""
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist as a file: give a text file with one image a line.')
    text = path.read_text(encoding='utf-8-sig')
    lines = {number: line.strip() for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    if not lines:
        raise ValueError(f'{path} names no image: give a text file with one image a line.')
    forms: dict[str, int] = {}
    for number, line in lines.items():
        form = 'pair' if len(line.split()) > 1 else 'path' if '/' in line or PurePosixPath(line).suffix else 'id'
        forms.setdefault(form, number)
    if len(forms) > 1:
        (one, start), (other, other_start), *_ = forms.items()
        raise ValueError(
            f'{path} mixes forms: line {start} is {FORMS[one]} ({lines[start]!r}), line {other_start} {FORMS[other]} '
            f'({lines[other_start]!r}). Give a list of one form.'
        )
    counts = Counter(_image_of(f'{path}, line {number}', line, benchmark) for number, line in lines.items())
    known = recognize(counts)
    stem = PurePosixPath(known.file).stem if known else path.stem
    return ImportedList(
        source=path,
        part=next((part for part in ('unlabeled', 'val') if stem.startswith(part)), 'labeled'),
        images=tuple(counts),
        repeated=tuple(name for name, count in counts.items() if count > 1),
        known=known,
        file=known.file if known else f'{folder}/{path.name}',
    )


def _image_of(place: str, line: str, benchmark: Benchmark) -> str:
    """Return the image of a line as our lists name it, after checking that it is one of the data set."""
    image, *mask = line.split()
    name = image_id(image)
    if len(mask) > 1 or not IDS[benchmark.name].fullmatch(name):
        other = next((key for key, one in BENCHMARKS.items() if IDS[one.name].fullmatch(name)), None)
        remedy = f'give --dataset {other}' if other else 'give a list of this data set, one image a line'
        raise ValueError(
            f'{place}: {line!r} names no image of {benchmark.title}, whose ids look like {benchmark.example}: {remedy}.'
        )
    if mask and (of_mask := re.sub(r'_gtFine_\w+$', '', image_id(mask[0]))) != name:
        raise ValueError(f'{place}: {image} is paired with the mask of {of_mask}: mend the list.')
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
    wrong = [image for image in one.images if image in others]
    if wrong:
        raise ValueError(
            f'{one.source} ({one.part}) overlaps with the {kind} set of {benchmark.title}: {len(wrong)} of its '
            f'{len(one.images)} images are {kind} images, such as {wrong[0]!r}. Results on such a list count for '
            'nothing: take them off it.'
        )
    missing = [image for image in one.images if image not in own]
    if missing:
        raise ValueError(
            f'{one.source} ({one.part}) names {len(missing)} images that do not exist, such as {missing[0]!r}: check '
            f'--data-root, and that it holds the whole of {benchmark.title}.'
        )
