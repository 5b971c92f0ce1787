"""Format numbers, counts and durations for readers; a dash stands for None."""

import math
from typing import Any

NONE = '\N{EN DASH}'


def number(value: float | None, digits: int = 2, sign: str = '') -> str:
    """Write a number with so many digits behind the point."""
    if value is None:
        return NONE
    return 'NaN' if math.isnan(value) else f'{value:{sign}.{digits}f}'


def spread(value: Any, digits: int = 2) -> str:
    """Write a mean, and the deviation where there is one."""
    if value is None:
        return NONE
    deviation = '' if value.deviation is None else f' ± {number(value.deviation, digits)}'
    return f'{number(value.mean, digits)}{deviation}'


def count(value: int | None) -> str:
    """Write a count with its thousands apart."""
    return NONE if value is None else f'{value:,}'


def duration(seconds: float | None) -> str:
    """Write a time in the two units that matter."""
    if seconds is None:
        return NONE
    if seconds < 10:
        return f'{seconds:.2g} s'
    whole = round(seconds)
    for unit, length, smaller, part in (('d', 86400, 'h', 3600), ('h', 3600, 'min', 60), ('min', 60, 's', 1)):
        if whole >= length:
            return f'{whole // length} {unit} {whole % length // part} {smaller}'
    return f'{whole} s'


def unit_of(metric: str) -> str:
    """Return the unit of a metric; MMSegmentation and MMPretrain give shares in percent."""
    name = metric.rpartition('/')[2]
    return '%' if name.startswith(('mIoU', 'aAcc', 'mAcc', 'mDice', 'mFscore', 'mPrecision', 'mRecall', 'top')) else ''
