"""Describe a pseudo-label bank in its manifest.json, which is sealed: one whose seal holds is not doubted again."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mmdmt.atomic_write import atomic_write
from mmdmt.integrity import seal, unseal

FORMAT = 2  # of manifest, index and labels
M = TypeVar('M', bound='Manifest')
# What to do where a bank cannot be written, and where one cannot be read.
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
        totals: For each class the pixels predicted; ``kept`` likewise those kept.
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
            fields: dict[str, Any] = unseal(path.read_text())
            fields['thresholds'] = [np.inf if k is None else k for k in fields['thresholds']]
            fields |= {key: tuple(one) for key, one in fields.items() if isinstance(one, list)}
            manifest = cls(**fields)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f'{path} must be the manifest of a pseudo-label bank ({error}): {REMEDY}.') from error
        if manifest.format != FORMAT:
            raise ValueError(f'{path} has format {manifest.format}, this version reads {FORMAT}: {REMEDY}.')
        return manifest

    def check(self, folder: Path, **expected: Any) -> None:
        """Check that fields have the values that are expected.

        Raises:
            ValueError: If one of them has another, with both.
        """
        for field, value in expected.items():
            found = getattr(self, field)
            if found != value:
                raise ValueError(
                    f'The pseudo-label bank {folder} is of another run: its {field} is {found!r}, not {value!r}: '
                    f'{REMEDY}.'
                )
