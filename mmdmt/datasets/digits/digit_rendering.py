"""Render small scenes of digits and their masks; each is a pure function of its key."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from mmdmt.settings import Choice, Number, Setting, check_settings

Floats: TypeAlias = npt.NDArray[np.float32]
Bytes: TypeAlias = npt.NDArray[np.uint8]

SPLITS = ('labeled', 'unlabeled', 'val')
DOMAINS = ('handwriting', 'fonts')
DIGITS = ('0', '1', '2', '3', '4')

# File names in matplotlib's font folder. One typeface belongs to one split, all its weights and slants with it.
_FONT_FILES = {
    'labeled': 'DejaVuSans DejaVuSans-Oblique DejaVuSans-Bold DejaVuSans-BoldOblique '
    'DejaVuSerif DejaVuSerif-Italic DejaVuSerif-Bold DejaVuSerif-BoldItalic',
    'unlabeled': 'DejaVuSansMono DejaVuSansMono-Oblique DejaVuSansMono-Bold DejaVuSansMono-BoldOblique '
    'STIXGeneral STIXGeneralItalic STIXGeneralBol STIXGeneralBolIta',
    'val': 'cmr10 cmti10 cmb10 cmss10 cmtt10',
}
_GLYPH_SIDE = 32
_CONTRAST = (60.0, 115.0)
_TINT = 40.0


@dataclass(frozen=True)
class SceneKey:
    """Settings that determine a scene, the ``index``-th of its split; ``size`` is its height and width in pixels."""

    SETTINGS: ClassVar[dict[str, Setting]] = {
        'seed': Number(0, whole=True),
        'domain': Choice(*DOMAINS),
        'split': Choice(*SPLITS),
        'size': Number(32, whole=True),
    }

    seed: int
    domain: str
    split: str
    index: int
    size: int = 48

    def __post_init__(self) -> None:
        check_settings(self, vars(self))

    @property
    def name(self) -> str:
        """Readable name, which does not depend on the size."""
        return f'digit_scenes/{self.domain}/{self.split}/seed{self.seed}/{self.index:06d}'


class Scene(NamedTuple):
    """A rendered scene: a BGR image and a mask, 0 for background and 1 + d for digit d; both uint8 and read-only."""

    image: Bytes
    mask: Bytes


def handwriting_samples(split: str) -> dict[str, list[int]]:
    """Return the samples of each digit that a split may draw, by their numbers in scikit-learn's ``load_digits``.

    The last third of a digit is ``val``; of the others every sixth is ``labeled``, the rest ``unlabeled``.
    """
    target = load_handwriting()[1]
    samples = {}
    for digit in DIGITS:
        of_class = np.flatnonzero(target == int(digit)).tolist()
        first_val = len(of_class) * 2 // 3
        shares = {'val': of_class[first_val:], 'labeled': of_class[:first_val:6]}
        shares['unlabeled'] = sorted(set(of_class[:first_val]) - set(shares['labeled']))
        samples[digit] = shares[split]
    return samples


@cache
def glyphs(domain: str, split: str) -> dict[str, list[Floats]]:
    """Return the shapes of each digit, square float32, 0 for paper and 1 for ink; no two splits share one."""
    if domain == 'handwriting':
        images = load_handwriting()[0]
        return {digit: [images[i] for i in numbers] for digit, numbers in handwriting_samples(split).items()}
    return {digit: [_font_glyph(font, digit) for font in _FONT_FILES[split].split()] for digit in DIGITS}


@lru_cache(maxsize=1024)
def render_scene(key: SceneKey) -> Scene:
    """Compose a scene: a smooth colored background, one to four digits that find a free place, blur and noise."""
    entropy = (key.seed, DOMAINS.index(key.domain), SPLITS.index(key.split), key.index)
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    canvas, level = _dusk(rng, key.size) if key.domain == 'handwriting' else _print(rng, key.size)
    mask = np.zeros((key.size, key.size), np.uint8)
    taken = np.zeros_like(mask)
    shapes = glyphs(key.domain, key.split)
    for _ in range(rng.integers(1, 5)):
        label = int(rng.integers(len(DIGITS))) + 1
        candidates = shapes[DIGITS[label - 1]]
        ink = _find_place(rng, candidates[rng.integers(len(candidates))], taken)
        if ink is None:
            continue
        # Light on dark and dark on light: to the side where the eight bits leave room.
        contrast = rng.uniform(*_CONTRAST) * (1 if level < 125 else -1)
        color = level + contrast + rng.uniform(-_TINT, _TINT, 3)
        canvas += ink[..., None] * (color.astype(np.float32) - canvas)
        mask[ink > 0.5] = label
    canvas = cv2.GaussianBlur(canvas, (3, 3), rng.uniform(0.3, 0.7))
    canvas += rng.uniform(3, 10) * rng.standard_normal(canvas.shape, np.float32)
    image = np.clip(canvas, 0, 255).astype(np.uint8)
    image.flags.writeable = mask.flags.writeable = False
    return Scene(image, mask)


def _find_place(rng: np.random.Generator, glyph: Floats, taken: Bytes) -> Floats | None:
    """Pose a glyph until its hull covers few ``taken`` pixels, mark the hull as taken, return the ink; None if full."""
    for _ in range(8):
        ink = _warp_glyph(rng, glyph, taken.shape[0])
        stroke = cv2.findNonZero((ink > 0.5).view(np.uint8))
        if stroke is None:
            continue
        hull = np.zeros_like(taken)
        cv2.fillConvexPoly(hull, cv2.convexHull(stroke), 1)
        if np.count_nonzero(hull & taken) <= 0.15 * np.count_nonzero(hull):
            taken |= hull
            return ink
    return None


def _warp_glyph(rng: np.random.Generator, glyph: Floats, size: int) -> Floats:
    """Scale, rotate, shear and move a glyph; return its ink on the scene, (size, size) in [0, 1]."""
    height = size * rng.uniform(0.42, 0.62)
    angle = np.deg2rad(rng.uniform(-15, 15))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[rng.uniform(0.8, 1.15), rng.uniform(-0.15, 0.15)], [0.0, 1.0]])
    linear = height / glyph.shape[0] * turn @ slant
    center = rng.uniform(0.45 * height, size - 0.45 * height, 2)
    offset = center - linear @ np.full(2, (glyph.shape[0] - 1) / 2)
    warped = cv2.warpAffine(glyph, np.column_stack([linear, offset]), (size, size), flags=cv2.INTER_CUBIC)
    # The steeper ramp turns the soft slopes of an upsampled 8x8 digit into an edge about one pixel wide.
    ink: Floats = np.clip((warped - 0.42) * 3 + 0.5, 0, 1)
    return ink


def _smooth_noise(rng: np.random.Generator, size: int, cells: int, amplitude: float) -> Floats:
    """Return a colored random field, (size, size, 3), that varies over about ``size / cells`` pixels."""
    coarse = rng.uniform(-amplitude, amplitude, (cells, cells, 3)).astype(np.float32)
    field: Floats = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return field


def _dusk(rng: np.random.Generator, size: int) -> tuple[Floats, float]:
    """Return the dark background of the handwriting domain, soft clouds of color, and its mean level."""
    level = rng.uniform(45, 105)
    base = level + rng.uniform(-25, 25, 3).astype(np.float32)
    return base + _smooth_noise(rng, size, 4, 30) + _smooth_noise(rng, size, 9, 12), level


def _print(rng: np.random.Generator, size: int) -> tuple[Floats, float]:
    """Return the background of the fonts domain, dark to light paper with a fine stripe, and its mean level."""
    level = rng.uniform(60, 215)
    base = level + rng.uniform(-20, 20, 3).astype(np.float32)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(0.6, 1.4)
    stripe = np.sin(frequency * (x * np.cos(angle) + y * np.sin(angle))).astype(np.float32)
    return base + _smooth_noise(rng, size, 3, 20) + rng.uniform(4, 14) * stripe[..., None], level


def _font_glyph(font: str, digit: str) -> Floats:
    """Return a digit of one of matplotlib's fonts, centered on a square with its full height."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    path = Path(matplotlib.get_data_path(), 'fonts', 'ttf', f'{font}.ttf')
    face = ImageFont.truetype(str(path), 2 * _GLYPH_SIDE)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(digit))
    side = max(right - left, bottom - top)
    picture = Image.new('L', (side, side))
    corner = ((side - right + left) / 2 - left, (side - bottom + top) / 2 - top)
    ImageDraw.Draw(picture).text(corner, digit, fill=255, font=face)
    small = cv2.resize(np.asarray(picture), (_GLYPH_SIDE, _GLYPH_SIDE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


@cache
def load_handwriting() -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return scikit-learn's handwritten digits: images (1797, 8, 8) float32 in [0, 1] and their classes (1797,)."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'mmdmt.Digits and the handwriting of mmdmt.DigitScenes come from scikit-learn, which is not installed: '
            "'pip install scikit-learn', or use domain='fonts' of DigitScenes."
        ) from error
    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target.astype(np.int64)
