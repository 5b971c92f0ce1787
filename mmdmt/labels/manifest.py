"""Describe a pseudo-label bank in its manifest.json."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from mmdmt.atomic_write import atomic_write
from mmdmt.integrity import seal, unseal

FORMAT = 2  # of manifest, index and labels
MAX_BYTES = 2**24
MAX_SHARDS = 2**12
MAX_CLASSES = 255  # pixel labels are bytes, and 255 is the ignored one

M = TypeVar('M', bound='Manifest')
#: What to do where a bank cannot be written.
ROOM = 'make room and go on with --resume, which labels anew'
REMEDY = 'resume the run from a checkpoint at the end of the phase before, or start it again in a new work_dir'


@dataclass(frozen=True)
class Manifest:
    """Contents and origin of a bank.

    Args:
        run: Identity of the run that wrote it.
        phase: Number of the phase.
        peer: Name of the labeler.
        weights: SHA-256 of the labeler's weights.
        images: How many images are labeled.
        names: SHA-256 of their names, in order.
        label_ratio: Share of each class that was asked for.
        thresholds: For each class the least confidence that is kept; ``inf`` keeps nothing.
        totals: For each class the pixels predicted.
        kept: For each class the pixels kept.
        shards: How many processes labeled.
        format: Version of this layout.
    """

    run: str
    phase: int
    peer: str
    weights: str
    images: int
    names: str
    label_ratio: float
    thresholds: tuple[float, ...]
    totals: tuple[int, ...]
    kept: tuple[int, ...]
    shards: int
    format: int = FORMAT
    max_classes: ClassVar[int] = MAX_CLASSES

    def write(self, folder: Path) -> None:
        """Complete a bank: write ``manifest.json`` in one atomic step."""
        text = seal({**asdict(self), 'thresholds': [None if k == np.inf else k for k in self.thresholds]})
        with atomic_write(folder / 'manifest.json', ROOM) as unfinished:
            unfinished.write_text(text)

    @classmethod
    def read(cls: type[M], folder: Path) -> M:
        """Read the manifest of a complete bank.

        Raises:
            FileNotFoundError: If the bank is not complete.
            ValueError: If the manifest is damaged or not one of ours.
        """
        path = folder / 'manifest.json'
        if not path.is_file():
            raise FileNotFoundError(f'The pseudo-label bank {folder} is incomplete (no manifest.json): {REMEDY}.')
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f'it has {path.stat().st_size} bytes')
            fields: dict[str, Any] = unseal(path.read_text())
            fields['thresholds'] = tuple(np.inf if k is None else k for k in fields['thresholds'])
            manifest = cls(**{**fields, 'totals': tuple(fields['totals']), 'kept': tuple(fields['kept'])})
            manifest._check_fields()
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f'{path} is not a manifest of a pseudo-label bank ({error}): {REMEDY}.') from error
        if manifest.format != FORMAT:
            raise ValueError(f'{path} has format {manifest.format}, this version reads {FORMAT}: {REMEDY}.')
        return manifest

    def _check_fields(self) -> None:
        """Check that the values can be those of a bank, whoever has written them."""
        texts = {name: getattr(self, name) for name in ('run', 'peer', 'weights', 'names')}
        numbers = {name: getattr(self, name) for name in ('phase', 'images', 'shards', 'format')}
        for name, value in texts.items():
            demand(isinstance(value, str), name, value, 'a string')
        for name, value in numbers.items():
            demand(_is_count(value), name, value, 'a whole number >= 0')
        if self.format != FORMAT:
            return
        demand(1 <= self.shards <= MAX_SHARDS, 'shards', self.shards, f'from 1 to {MAX_SHARDS}')
        demand(_is_share(self.label_ratio) and self.label_ratio > 0, 'label_ratio', self.label_ratio, 'in (0, 1]')
        classes = len(self.thresholds)
        demand(1 <= classes <= self.max_classes, 'thresholds', f'{classes} values', f'1 to {self.max_classes}')
        for name, values in (('totals', self.totals), ('kept', self.kept)):
            demand(len(values) == classes, name, f'{len(values)} values', f'{classes}, as many as thresholds')
            for value in values:
                demand(_is_count(value), name, value, 'whole numbers >= 0')
        for threshold, total, kept in zip(self.thresholds, self.totals, self.kept, strict=True):
            demand(threshold == np.inf or _is_share(threshold), 'thresholds', threshold, 'in [0, 1] or null')
            demand(kept <= total, 'kept', kept, f'at most the {total} pixels of the class')

    def check(self, folder: Path, **expected: Any) -> None:
        """Check that the bank is the one that is expected.

        Raises:
            ValueError: If one of them has another value.
        """
        for field, value in expected.items():
            found = getattr(self, field)
            if found != value:
                raise ValueError(
                    f'The pseudo-label bank {folder} is of another run: its {field} is {found!r}, not {value!r}: '
                    f'{REMEDY}.'
                )


def demand(condition: bool, field: str, value: Any, wanted: str) -> None:
    """Raise ValueError if a field of a manifest cannot have its value."""
    if not condition:
        raise ValueError(f'{field} is {str(value)[:50]!r}, but must be {wanted}')


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
