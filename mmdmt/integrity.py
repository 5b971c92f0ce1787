"""Check that files are as they were written: zip files of torch by their checksums, JSON files of ours by a digest."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEAL = 'sha256'
"""The key under which a sealed JSON object holds the digest of all others."""


def is_whole(path: Path) -> bool:
    """Whether a file of torch is as it was written, by its checksums, at which torch does not look itself."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # whatever a damaged header makes zipfile stumble over
        return False


def is_zip(path: str | Path) -> bool:
    """Whether a file begins as a zip file does; files of torch before 1.6 do not."""
    with Path(path).open('rb') as file:
        return file.read(2) == b'PK'


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def seal(fields: Mapping[str, Any]) -> str:
    """Write an object as JSON, with the digest of what it holds."""
    return json.dumps({**fields, SEAL: _digest(fields)}, indent=1) + '\n'


def unseal(text: str) -> dict[str, Any]:
    """Read what :func:`seal` has written, or raise a ``ValueError`` if it has changed since."""
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError('it must be an object')
    if SEAL not in fields:
        raise ValueError(f'it has no {SEAL}')
    given = fields.pop(SEAL)
    if given != _digest(fields):
        raise ValueError(f'its {SEAL} is not that of its content: it is damaged, or was changed by hand')
    return fields


def _digest(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
