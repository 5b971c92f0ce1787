"""Compare a fact that stands in several places: the label that is ignored, whether label zero is one."""

from collections.abc import Mapping
from typing import Any


def difference(fact: str, places: Mapping[str, Any], remedy: str) -> str:
    """Say where a fact differs between the places that have it.

    Args:
        fact (str): Its name.
        places (Mapping[str, Any]): Its value in each place; the first is what the others are compared with.
        remedy (str): What to do, in the imperative.

    Returns:
        str: A sentence, or ``''`` if all are the same.

    Example:
        >>> difference('ignore_index', {'the heads': 3, 'the labels': 3, 'the metric': 255}, 'give all the same')
        'ignore_index is 3 in the heads, but 255 in the metric: give all the same.'
        >>> difference('ignore_index', {'the heads': 3, 'the labels': 3}, 'give all the same')
        ''
    """
    if not places:
        return ''
    first, wanted = next(iter(places.items()))
    others = [f'{value} in {place}' for place, value in places.items() if value != wanted]
    if not others:
        return ''
    more = f' and {len(others) - 3} more places' if len(others) > 3 else ''
    return f'{fact} is {wanted} in {first}, but {", ".join(others[:3])}{more}: {remedy}.'


IGNORED = 'ignore_index'
IGNORED_REMEDY = (
    'give all of them the same (ignore_index of heads, datasets, metrics and transforms, seg_pad_val of the '
    'data_preprocessor and of transforms that pad)'
)
REDUCED = 'reduce_zero_label'
REDUCED_REMEDY = 'give the datasets the same, or convert the masks of one of them'
ONE_CLASS_REMEDY = (
    'a softmax over one class is always 1, so nothing would be learned; name the background as a class, too '
    '(num_classes=2, and 0 and 1 in masks)'
)
