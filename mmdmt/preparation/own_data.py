"""Find images, masks, classes and sizes in a folder of a user's own data."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from mmdmt.folders import IMAGE_SUFFIXES, walk_once
from mmdmt.preparation.splits import rarest_class, sized_split

IGNORED = 255
MASKS = re.compile(r'mask|label(?!ed)|annot|segm|ground|^gt', re.IGNORECASE)
VALIDATION = re.compile(r'val(id|idation)?', re.IGNORECASE)
VALIDATION_MASKS = re.compile(
    rf'({VALIDATION.pattern})[-_]?(mask|label|annot|gt).*|{VALIDATION.pattern}', re.IGNORECASE
)
LEFT_OUT = re.compile(r'test', re.IGNORECASE)
#: What may follow the name of the image in that of its mask.
MASK_ENDINGS = ('', '_mask', '-mask', '_label', '_labels', '_gt', '_seg', '_segmentation', '_L')
UNEQUAL = 1000
"""How much more pixels the most frequent class has than the rarest where classes get weights."""


@dataclass(frozen=True)
class Images:
    """Images of one folder, and their masks in another, by the same names.

    Args:
        folder: Absolute.
        suffix: How all image files end.
        masks: The absolute folder of their masks.
        mask_suffix: What follows the name of an image in that of its mask.
        names: Paths of images that have a mask, without suffix.
        without: Those of images that have none.
    """

    folder: Path
    suffix: str
    masks: Path
    mask_suffix: str
    names: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True)
class Masks:
    """What masks hold.

    Args:
        pixels: Of each value of 8 bits.
        classes: Of each image the values in its mask, but for the ignored one.
    """

    pixels: tuple[int, ...]
    classes: Mapping[str, frozenset[int]]


def find_pairs(data: Path) -> tuple[Images, Images | None]:
    """Find the images of a folder that have masks, and those to validate on.

    Args:
        data (Path): With folders of images and of masks, each perhaps with folders in it; what is below a folder called
            ``val`` is validated on, what is below one called ``test`` is left out.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If no image has a mask.
    """
    if not data.is_dir():
        raise FileNotFoundError(f'{data} is not a folder: give the one that holds images and masks.')
    folders: dict[Path, list[str]] = {}
    for place, files in walk_once(data.resolve()):
        own = [name for name in files if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith('.')]
        if own and not any(part.startswith('.') for part in Path(place).relative_to(data.resolve()).parts):
            folders[Path(place)] = own
    found = [pair for folder in folders if (pair := _pair(folder, folders, data.resolve())) is not None]
    parts = {True: _joined([one for one in found if _below(one.folder, data, VALIDATION)])}
    parts[False] = _joined([one for one in found if not _below(one.folder, data, VALIDATION, LEFT_OUT)])
    train = parts[False]
    if train is None:
        seen = ', '.join(str(folder.relative_to(data.resolve())) for folder in folders) or 'no image at all'
        raise ValueError(
            f'No image in {data} has a mask of the same name in a folder called masks, labels, annotations or the like '
            f'(found: {seen}): put images into {data / "images"} and their masks, with the same names, into '
            f'{data / "masks"}.'
        )
    return train, parts[True]


def _below(folder: Path, data: Path, *words: re.Pattern[str]) -> bool:
    parts = folder.relative_to(data.resolve()).parts
    return any(word.fullmatch(part) for word in words for part in parts)


def _is_of_masks(folder: Path, data: Path) -> bool:
    return any(MASKS.search(part) for part in folder.relative_to(data).parts)


def _pair(folder: Path, folders: Mapping[Path, Sequence[str]], data: Path) -> Images | None:
    """Find the masks of the images of one folder: where the most have one."""
    if _is_of_masks(folder, data):
        return None
    best: tuple[int, Path, str, str] | None = None
    suffix = Counter(Path(name).suffix for name in folders[folder]).most_common(1)[0][0]
    stems = {name.removesuffix(suffix) for name in folders[folder] if name.endswith(suffix)}
    for other, files in folders.items():
        if not _is_of_masks(other, data) or _below(other, data, VALIDATION_MASKS) != _below(folder, data, VALIDATION):
            continue
        for ending in MASK_ENDINGS:
            suffixes = Counter(Path(name).suffix for name in files if Path(name).stem.removesuffix(ending) in stems)
            for mask_suffix, _ in suffixes.most_common(1):
                shared = sum(f'{stem}{ending}{mask_suffix}' in set(files) for stem in stems)
                if shared and (best is None or shared > best[0]):
                    best = shared, other, ending, mask_suffix
    if best is None:
        return None
    _, masks, ending, mask_suffix = best
    there = {name.removesuffix(f'{ending}{mask_suffix}') for name in folders[masks]}
    names, without = sorted(stems & there), sorted(stems - there)
    return Images(folder, suffix, masks, f'{ending}{mask_suffix}', tuple(names), tuple(without))


def _joined(pairs: Sequence[Images]) -> Images | None:
    """Join pairs of folders that lie in the same way, such as images/a with masks/a and images/b with masks/b."""
    roots: dict[tuple[Path, Path, str, str], list[Images]] = {}
    for one in pairs:
        folder, masks = one.folder, one.masks
        while folder.name == masks.name:
            folder, masks = folder.parent, masks.parent
        roots.setdefault((folder, masks, one.suffix, one.mask_suffix), []).append(one)
    if not roots:
        return None
    (folder, masks, suffix, mask_suffix), parts = max(roots.items(), key=lambda one: sum(len(p.names) for p in one[1]))

    def named(which: Callable[[Images], Iterable[str]]) -> tuple[str, ...]:
        return tuple(
            sorted((part.folder.relative_to(folder) / name).as_posix() for part in parts for name in which(part))
        )

    return Images(folder, suffix, masks, mask_suffix, named(lambda p: p.names), named(lambda p: p.without))


def read_masks(images: Images, workers: int = 4) -> Masks:
    """Count what the masks of some images hold.

    Args:
        images (Images): With masks.
        workers (int): Masks read at the same time. Defaults to 4.

    Raises:
        ValueError: If a mask is in color, or all masks are black and white.
    """

    def count(name: str) -> np.ndarray:
        path = images.masks / f'{name}{images.mask_suffix}'
        with Image.open(path) as mask:
            if mask.mode not in ('L', 'P'):
                raise ValueError(
                    f'{path} is a mask of mode {mask.mode}, but class ids are one channel of 8 bits: convert masks in '
                    f'color with `python -m mmdmt dataset_converters/color_masks {images.masks} OUT --colors ...`.'
                )
            return np.bincount(np.asarray(mask).ravel(), minlength=256)

    with ThreadPoolExecutor(workers) as pool:
        counts = list(pool.map(count, images.names))
    pixels = np.sum(counts, axis=0)
    if set(np.flatnonzero(pixels)) == {0, 255}:
        raise ValueError(
            f'The masks in {images.masks} are black and white, 0 and 255, but 255 is the ignored label: convert them '
            f'with `python -m mmdmt dataset_converters/color_masks {images.masks} OUT --colors 000000 ffffff`.'
        )
    present = {
        name: frozenset(np.flatnonzero(one[:IGNORED]).tolist()) for name, one in zip(images.names, counts, strict=True)
    }
    return Masks(tuple(pixels.tolist()), present)


def name_classes(masks: Masks, given: Sequence[str] = ()) -> list[str]:
    """Name the classes that masks hold, ``class 0`` and so on where no names are given.

    Args:
        masks (Masks): Of the labeled images.
        given (Sequence[str]): Names of ids 0, 1, ... Defaults to none.

    Raises:
        ValueError: If masks hold more ids than there are names.
    """
    most = max((label for label, pixels in enumerate(masks.pixels[:IGNORED]) if pixels), default=0)
    if given and len(given) <= most:
        raise ValueError(f'--classes names {len(given)} classes, but masks hold the id {most}: name {most + 1}.')
    return list(given) or [f'class {label}' for label in range(max(most + 1, 2))]


def palette_of(classes: int) -> list[list[int]]:
    """Return an RGB color for each class, black for the first, as VOC has them.

    Example:
        >>> palette_of(4)
        [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    return [
        [sum((label >> (3 * bit + band) & 1) << (7 - bit) for bit in range(8)) for band in range(3)]
        for label in range(classes)
    ]


def class_weights(masks: Masks, classes: int) -> list[float]:
    """Weigh classes by one over the root of their share of pixels, with a mean of 1 over pixels.

    Returns:
        list[float]: Empty if no class has a thousand times the pixels of another.

    Example:
        >>> class_weights(Masks((9_999_000, 1000), {}), 2)
        [0.99, 99.01]
        >>> class_weights(Masks((900, 100), {}), 2)
        []
    """
    pixels = np.array(masks.pixels[:classes], float)
    seen = pixels > 0
    if seen.sum() < 2 or pixels.max() / pixels[seen].min() < UNEQUAL:
        return []
    shares = pixels / pixels.sum()
    weights = np.where(seen, 1 / np.sqrt(np.where(seen, shares, 1)), 1)
    return [float(f'{weight:.4g}') for weight in weights / (weights * shares).sum()]


def shorter_side(images: Images, most: int, step: int = 32) -> int:
    """Choose the length that the shorter side of images is resized to: their own, in steps, or the most that it may be.

    Args:
        images (Images): Of which some are looked at.
        most (int): Pixels.
        step (int): What it is a multiple of. Defaults to 32.
    """
    names = (*images.names, *images.without)
    sides = []
    for name in names[:: max(1, len(names) // 200)]:
        with Image.open(images.folder / f'{name}{images.suffix}') as image:
            sides.append(min(image.size))
    return max(step, min(most, int(median(sides)) // step * step))


def split_lists(images: Images, masks: Masks, val: bool, labeled: int | None, seed: int = 0) -> dict[str, list[str]]:
    """Make lists of images: labeled, unlabeled and, unless there are others to validate on, a fifth with masks for it.

    Each list has its share of images with rare classes.

    Args:
        images (Images): With masks.
        masks (Masks): Theirs.
        val (bool): Whether to make a list to validate on.
        labeled (int, optional): How many images keep their label; None for all.
        seed (int): Of the shuffles. Defaults to 0.

    Raises:
        ValueError: If there are too few masks.
    """
    lists: dict[str, list[str]] = {'labeled': list(images.names), 'unlabeled': list(images.without)}
    if val:
        if len(images.names) < 2:
            raise ValueError('1 mask is too few to train and validate with: give at least 2.')
        held, rest = _drawn(lists['labeled'], max(1, len(images.names) // 5), masks, seed)
        lists |= {'val': held, 'labeled': rest}
    if labeled is not None:
        if not 0 < labeled <= len(lists['labeled']):
            raise ValueError(f'--labeled {labeled}: give 1 to {len(lists["labeled"])}, the masks not validated on.')
        lists['labeled'], others = _drawn(lists['labeled'], labeled, masks, seed)
        lists['unlabeled'] = sorted([*lists['unlabeled'], *others])
    return lists


def _drawn(names: Sequence[str], size: int, masks: Masks, seed: int) -> tuple[list[str], list[str]]:
    """Draw some of many images; return them and the rest."""
    strata = rarest_class({name: masks.classes[name] for name in names})
    split = sized_split(names, {'drawn': size}, seed, 1, strata)[0, 'drawn']
    return sorted(split.labeled), sorted(split.unlabeled)


def images_in(folders: Sequence[Path]) -> list[Path]:
    """List the images of folders and of the folders in them, sorted.

    Raises:
        FileNotFoundError: If one holds none.
    """
    found: list[Path] = []
    for folder in folders:
        own = [
            Path(place, name)
            for place, files in walk_once(folder.resolve())
            for name in files
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith('.')
        ]
        if not own:
            raise FileNotFoundError(f'{folder} holds no image: give folders of unlabeled images.')
        found += own
    return sorted(set(found))


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder that all files lie below."""
    return Path(os.path.commonpath([path.parent for path in paths]))
