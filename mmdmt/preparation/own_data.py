"""Find images, masks, classes and sizes in a folder of a user's own data."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from mmdmt.folders import IMAGE_SUFFIXES, list_images, walk_once
from mmdmt.preparation.splits import drawn, held_out
from mmdmt.rules.findings import FileError
from mmdmt.rules.image_content import read_content

IGNORED = 255
IMAGES = re.compile(r'ima?ge?s?\b|photo|jpe?g|rgb|input', re.IGNORECASE)
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
_LOOKED_AT, _SIDE = 5, 256


@dataclass(frozen=True)
class Images:
    """Images of one absolute folder, and their masks in another, by the same names.

    ``mask_suffix`` is what follows the name of an image in that of its mask; ``names`` are the paths of images that
    have a mask, without suffix, and ``without`` those of the others.
    """

    folder: Path
    suffix: str
    masks: Path
    mask_suffix: str
    names: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True)
class Masks:
    """The pixels of each of 256 values in some masks, and for each image the values in its mask but the ignored one."""

    pixels: tuple[int, ...]
    classes: Mapping[str, frozenset[int]]


def find_pairs(data: Path) -> tuple[Images, Images | None]:
    """Find the images of a folder that have masks, and those to validate on.

    Pictures of the same masks in another folder, such as the masks in color, are passed over: of two folders with the
    same names the images are in the one that is called so, or else in the one of more colors. What is below a folder
    called ``val`` is validated on, what is below one called ``test`` is left out.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If no image has a mask.
    """
    if not data.is_dir():
        raise FileNotFoundError(f'There is no folder {data}: give the one that holds images and masks.')
    root = data.resolve()
    folders = {
        Path(place): own
        for place, files in walk_once(root)
        if (own := [name for name in files if name.lower().endswith(IMAGE_SUFFIXES)])
    }
    pairs = [pair for folder in folders if (pair := _pair(folder, folders, root)) is not None]
    if len({pair.masks for pair in pairs}) < len(pairs):
        pairs.sort(key=lambda one: (IMAGES.search(one.folder.relative_to(root).as_posix()) is None, -_colors(one)))
    found, claimed = list[Images](), set[tuple[Path, str]]()
    for pair in pairs:
        if not claimed & (own_masks := {(pair.masks, name) for name in pair.names}):
            found.append(pair)
            claimed |= own_masks
    val = _joined([one for one in found if _below(one.folder, root, VALIDATION)])
    train = _joined([one for one in found if not _below(one.folder, root, VALIDATION, LEFT_OUT)])
    if train is None:
        seen = ', '.join(str(folder.relative_to(root)) for folder in folders) or 'no image at all'
        raise ValueError(
            f'No image in {data} has a mask of the same name in a folder called masks, labels, annotations or the like '
            f'(found: {seen}): put images into {data / "images"} and their masks, with the same names, into '
            f'{data / "masks"}.'
        )
    return train, val


def _below(folder: Path, root: Path, *words: re.Pattern[str]) -> bool:
    return any(word.fullmatch(part) for word in words for part in folder.relative_to(root).parts)


def _pair(folder: Path, folders: Mapping[Path, Sequence[str]], root: Path) -> Images | None:
    """Find the masks of the images of one folder: where the most have one, of one channel rather than in color."""

    def is_of_masks(one: Path) -> bool:
        return any(MASKS.search(part) for part in one.relative_to(root).parts)

    if is_of_masks(folder):
        return None
    suffix = Counter(Path(name).suffix for name in folders[folder]).most_common(1)[0][0]
    stems = {name.removesuffix(suffix) for name in folders[folder] if name.endswith(suffix)}
    candidates: list[tuple[list[str], Path, str]] = []
    for other, files in folders.items():
        if not is_of_masks(other) or _below(other, root, VALIDATION_MASKS) != _below(folder, root, VALIDATION):
            continue
        there = set(files)
        for ending in MASK_ENDINGS:
            suffixes = Counter(Path(name).suffix for name in files if Path(name).stem.removesuffix(ending) in stems)
            for mask_suffix, _ in suffixes.most_common(1):
                names = [stem for stem in stems if f'{stem}{ending}{mask_suffix}' in there]
                candidates.append((names, other, f'{ending}{mask_suffix}'))
    most = max((len(names) for names, *_ in candidates), default=0)
    if not most:
        return None
    best = [one for one in candidates if len(one[0]) == most]
    names, masks, mask_suffix = best[0]
    if len(best) > 1:
        plain = (one for one in best if _mode(one[1] / f'{min(one[0])}{one[2]}') in ('L', 'P'))
        names, masks, mask_suffix = next(plain, best[0])
    return Images(folder, suffix, masks, mask_suffix, tuple(sorted(names)), tuple(sorted(stems - set(names))))


def _mode(path: Path) -> str:
    try:
        with Image.open(path) as image:
            return image.mode
    except (OSError, ValueError):
        return ''  # told when it is read


def _colors(pair: Images) -> float:
    """Return how many colors some images have; a mask in color has one for each class."""
    counts = []
    for name in pair.names[:: -(-len(pair.names) // _LOOKED_AT)]:
        with Image.open(pair.folder / f'{name}{pair.suffix}') as image:
            pixels = np.asarray(image.convert('RGB'))
        step = max(1, min(pixels.shape[:2]) // _SIDE)
        counts.append(len(np.unique(pixels[::step, ::step].reshape(-1, 3), axis=0)))
    return median(counts)


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

    def named(names: Iterable[tuple[Images, str]]) -> tuple[str, ...]:
        return tuple(sorted((part.folder.relative_to(folder) / name).as_posix() for part, name in names))

    names = named((part, name) for part in parts for name in part.names)
    return Images(folder, suffix, masks, mask_suffix, names, named((p, name) for p in parts for name in p.without))


def read_masks(paths: Mapping[str, Path], workers: int = 4) -> Masks:
    """Count what the masks of some images hold; refuse what is other than ids of 8 bits, and all black and white."""
    from mmdmt.rules.file_rules import mask_mode  # takes seconds with mmcv, which a help does not need

    def count(path: Path) -> np.ndarray:
        if (fault := mask_mode(str(path), read_content(path))) is not None:
            raise FileError(fault)
        with Image.open(path) as mask:
            return np.bincount(np.asarray(mask).ravel(), minlength=256)

    with ThreadPoolExecutor(workers) as pool:
        counts = list(pool.map(count, paths.values()))
    pixels = np.sum(counts, axis=0)
    if set(np.flatnonzero(pixels)) == {0, 255}:
        folder = os.path.commonpath([path.parent for path in paths.values()])
        raise ValueError(
            f'The masks in {folder} are black and white, 0 and 255, but 255 is the ignored label: convert them '
            f'with `python -m mmdmt dataset_converters/color_masks {folder} OUT --colors 000000 ffffff`.'
        )
    present = (frozenset(np.flatnonzero(one[:IGNORED]).tolist()) for one in counts)
    return Masks(tuple(pixels.tolist()), dict(zip(paths, present, strict=True)))


def name_classes(masks: Masks, given: Sequence[str] = ()) -> list[str]:
    """Name the ids 0, 1, ... that masks hold, ``class 0`` and so on where no names are given."""
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
    """Weigh classes by one over the root of their share of pixels; none if none has a thousand times another's."""
    pixels = np.array(masks.pixels[:classes], float)
    seen = pixels > 0
    if seen.sum() < 2 or pixels.max() / pixels[seen].min() < UNEQUAL:
        return []
    shares = pixels / pixels.sum()
    weights = np.where(seen, 1 / np.sqrt(np.where(seen, shares, 1)), 1)
    return [float(f'{weight:.4g}') for weight in weights / (weights * shares).sum()]


def shorter_side(images: Images, most: int, step: int = 32) -> int:
    """Choose the pixels that the shorter side of images is resized to: their own, in steps, or the most they may be."""
    names = (*images.names, *images.without)
    sides = []
    for name in names[:: max(1, len(names) // 200)]:
        with Image.open(images.folder / f'{name}{images.suffix}') as image:
            sides.append(min(image.size))
    return max(step, min(most, int(median(sides)) // step * step))


def split_lists(
    masked: Sequence[str],
    bare: Sequence[str],
    classes: Mapping[str, Collection[int]],
    val: Sequence[str] | float | None,
    labeled: int | None,
    seed: int = 0,
    groups: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """Make lists of labeled, unlabeled and validation images, each with its share of images with rare classes.

    Args:
        masked: Images with a mask.
        bare: Images without.
        classes: Those in each mask.
        val: The images to validate on, or the S by which 1/S of those with masks are held out; None for none.
        labeled: How many images keep their label; None for all.
        seed: Of the shuffles. Default: 0.
        groups: The group of each image, which is drawn as a whole; images of a validated one are in no other list.

    Raises:
        ValueError: If there are too few masks, or an image to validate on has none.
    """
    lists = {'labeled': list(masked), 'unlabeled': list(bare)}
    if isinstance(val, (int, float)):
        lists['val'], lists['labeled'] = held_out(masked, val, seed, classes, groups)
    elif val is not None:
        if without := sorted(set(val) - set(masked)):
            raise ValueError(f'{len(without)} images of --val have no mask, such as {without[0]}: take them off it.')
        lists |= {'val': sorted(val), 'labeled': [name for name in masked if name not in set(val)]}
    if labeled is not None:
        if not 0 < labeled <= len(lists['labeled']):
            raise ValueError(f'--labeled {labeled}: give 1 to {len(lists["labeled"])}, the masks not validated on.')
        lists['labeled'], others = drawn(lists['labeled'], labeled, seed, classes, groups)
        lists['unlabeled'] = sorted([*lists['unlabeled'], *others])
    if groups:
        held = {groups[image] for image in lists.get('val', ())}
        for part in ('labeled', 'unlabeled'):
            lists[part] = [image for image in lists[part] if groups[image] not in held]
    return lists


def images_in(folders: Sequence[Path]) -> list[Path]:
    """List the images of folders and of the folders in them, sorted; refuse a folder without any."""
    found: set[Path] = set()
    for folder in folders:
        own = list_images(folder.resolve()).images
        if not own:
            raise FileNotFoundError(f'{folder} holds no image: give folders of unlabeled images.')
        found.update(own)
    return sorted(found)
