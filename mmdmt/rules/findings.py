"""Report what is wrong with files: one by one where a run stops, by kind where all are checked."""

from collections.abc import Iterable
from dataclasses import dataclass

NAMED = 3
"""How many files a sentence names."""


_PLURAL = {'is': 'are', 'has': 'have', 'holds': 'hold'}


@dataclass(frozen=True)
class Finding:
    """What is wrong, or odd, with one file.

    Args:
        what: ``'image'`` or ``'mask'``.
        file: Its path.
        says: What holds for it, with a verb: ``'is an image of mode RGB, but a mask has one channel of 8 bits'``.
        remedy: What to do, in the imperative.
        kind: The same of several files, without what differs between them. Defaults to ``says`` in the plural.
        detail: What differs between files of one kind. Defaults to ``''``.
        stops: Whether it must be mended before training; otherwise it may be intended. Defaults to True.
    """

    what: str
    file: str
    says: str
    remedy: str
    kind: str = ''
    detail: str = ''
    stops: bool = True

    def __post_init__(self) -> None:
        verb, _, rest = self.says.partition(' ')
        object.__setattr__(self, 'kind', self.kind or f'{_PLURAL.get(verb, verb)} {rest}')

    def __str__(self) -> str:
        """Put it in a sentence."""
        return f'The {self.what} {self.file} {self.says}: {self.remedy}.'


class FileError(ValueError):
    """A file must be mended before training."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def by_kind(findings: Iterable[Finding]) -> list[str]:
    """Report what was found in one sentence a kind: how many files, some of them, and the remedy.

    Example:
        >>> found = [Finding('mask', f'{name}.png', 'is empty', 'replace it') for name in 'abcd']
        >>> by_kind(found)
        ['4 masks are empty: replace it. They are a.png, b.png, c.png and 1 more.']
    """
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        kinds.setdefault((one.what, one.kind, one.remedy), []).append(one)
    sentences = []
    for (what, kind, remedy), same in kinds.items():
        if len(same) == 1:
            sentences.append(str(same[0]))
            continue
        named = some([f'{one.file} ({one.detail})' if one.detail else one.file for one in same])
        sentences.append(f'{len(same)} {what}s {kind}: {remedy}. They are {named}.')
    return sentences


def some(names: list[str]) -> str:
    """Name the first of many files, and count the others."""
    more = len(names) - NAMED
    return ', '.join(names[:NAMED]) + (f' and {more} more' if more > 0 else '')
