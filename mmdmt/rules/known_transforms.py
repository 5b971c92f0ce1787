"""What the transforms of the toolboxes do to an image, by their names; those of users are named in a warning."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmdmt.registry import type_name

_COLORS = """AdjustGamma AutoContrast Brightness CLAHE ColorJitter ColorTransform Contrast Equalize GaussianBlur
GenerateEdge Grayscale Invert LightOnDark Lighting Normalize PhotoMetricDistortion Posterize RGB2Gray RandomCutOut
RandomErasing RandomGrayscale Rerange Sharpness Solarize SolarizeAdd"""
_UNDONE = 'Pad RandomChoiceResize RandomFlip RandomResize RandomScale Resize ResizeShortestEdge ResizeToMultiple'
_MOVING = """CenterCrop CorruptedCrop RandomAffine RandomCrop RandomMosaic RandomResizedCrop RandomRotate RandomRotFlip
RandomWarp Rotate Shear Translate"""
#: Transforms that change colors alone; that are undone for a prediction; that are not.
PHOTOMETRIC, UNDONE, MOVING = (frozenset(names.split()) for names in (_COLORS, _UNDONE, _MOVING))
#: Those that do what others do that they hold.
HOLDING = frozenset(('RandomApply', 'RandomChoice', 'Compose', 'TransformBroadcaster'))
EVALUATED_HERE = 'EvaluateAtThisSize'
_KNOWN = PHOTOMETRIC | HOLDING | UNDONE | MOVING | {EVALUATED_HERE, 'TestTimeAug', 'TwoViews', 'IgnoreMargins'}
"""Those that move a mask as they move its image."""


def moves_pixels(config: Any) -> str:
    """Return the name of a transform that may move pixels, of one, built or a config, or of those that it holds.

    ``keeps_pixels=True`` of a config vouches for one of the user's own.

    Example:
        >>> moves_pixels(dict(type='RandomApply', transforms=[dict(type='CLAHE'), dict(type='Rotate')]))
        'Rotate'
        >>> moves_pixels(dict(type='MyNoise', keeps_pixels=True))
        ''
    """
    if isinstance(config, (list, tuple)):
        return next((name for one in config if (name := moves_pixels(one))), '')
    if not isinstance(config, Mapping):
        return '' if type(config).__name__ in PHOTOMETRIC else type(config).__name__
    if config.get('keeps_pixels'):
        return ''
    name = type_name(config)
    return moves_pixels(config.get('transforms', ())) if name in HOLDING else '' if name in PHOTOMETRIC else name


def unknown_transforms(transforms: Any) -> list[str]:
    """Name the transforms of a pipeline that is built of which it is not known that they move masks with images."""
    return list(dict.fromkeys(kind for step, _ in _flat(transforms) if not _is_known(kind := type(step).__name__)))


def check_undone(name: str, transforms: Any, pads_again: bool) -> list[str]:
    """Refuse what predictions of evaluated images cannot be brought back from; return transforms that are not known.

    Args:
        name (str): As sentences name the images.
        transforms (Sequence[Callable]): Their pipeline.
        pads_again (bool): Whether a ``data_preprocessor`` pads in testing, too.

    Raises:
        ValueError: If a known transform moves images, or pads them where that cannot be undone.
    """
    steps = [(type(step).__name__, in_view) for step, in_view in _flat(transforms)]
    here = max((place for place, (kind, _) in enumerate(steps) if kind == EVALUATED_HERE), default=-1)
    padded, unknown = False, []
    for kind, in_view in steps[here + 1 :]:
        if kind in MOVING:
            raise ValueError(
                f'{kind} in the pipeline of {name} turns, moves or cuts what an image shows, which is not undone for '
                'its prediction: take it out. Resize, Pad and RandomFlip are undone.'
            )
        if kind == 'Pad' and (in_view or pads_again):
            why = 'views of TestTimeAug' if in_view else 'images that test_cfg of data_preprocessor pads again'
            raise ValueError(f'The pipeline of {name} pads {why}, of which one cannot be undone: take Pad out.')
        if padded and kind in UNDONE:
            raise ValueError(
                f'{kind} in the pipeline of {name} stands behind Pad, which is undone last: put it before.'
            )
        padded = padded or kind == 'Pad'
        if not _is_known(kind):
            unknown.append(kind)
    return unknown


def _is_known(kind: str) -> bool:
    return kind in _KNOWN or kind.startswith(('Load', 'Pack'))


def _flat(transforms: Sequence[Any], in_view: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield transforms and those that they hold, and whether they are those of one of several views."""
    for step in getattr(transforms, 'transforms', transforms):
        if isinstance(step, (list, tuple)):
            yield from _flat(step, in_view)
            continue
        yield step, in_view
        yield from _flat(getattr(step, 'subroutines', ()), True)
        held: Any = getattr(step, 'transforms', None)
        if isinstance(held, (list, tuple)) or hasattr(held, 'transforms'):
            yield from _flat(held, in_view)
