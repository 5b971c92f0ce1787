"""The pipeline of a dataset whose images are checked when they are loaded, and whose errors name the file."""

from collections.abc import Callable, Sequence
from typing import Any

from mmcv.image import imfrombytes
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import Compose

from mmdmt.rules.file_rules import image_finite
from mmdmt.rules.findings import FileError
from mmdmt.rules.known_transforms import EVALUATED_HERE

Transform = Callable[[dict[str, Any]], Any]


class CheckedPipeline(Compose):
    """Transforms that an image goes through; an error in one names the file of the image.

    Args:
        transforms (Sequence[Callable]): What it goes through.
        check (Callable, optional): Looks at the results of one of them, and raises. Defaults to None.
        place (int): Number of that one. Defaults to -1, the last.
        evaluated (bool): Whether images are predicted: what ``Pad`` adds is noted, to be cut off a prediction.
            Defaults to False.
    """

    def __init__(
        self,
        transforms: Sequence[Transform],
        check: Callable[[dict[str, Any]], None] | None = None,
        place: int = -1,
        evaluated: bool = False,
    ) -> None:
        super().__init__(list(transforms))
        self.check = check
        self.evaluated = evaluated
        self.place = place % max(1, len(self.transforms))

    def until_checked(self) -> 'CheckedPipeline':
        """Return the part of it that is needed for the check; without a check, the loading of the image alone."""
        end = self.place if self.check is not None else 0
        return CheckedPipeline(self.transforms[: end + 1], self.check)

    def __call__(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Put an image through; an error names the file and the transform."""
        files = {key: str(data[key]) for key in ('img_path', 'seg_map_path') if data.get(key)}
        results: Any = data
        padding: list[int] | None = None
        for number, transform in enumerate(self.transforms):
            shape: tuple[int, ...] = getattr(results.get('img'), 'shape', ())[:2]
            try:
                results = transform(results)
            except Exception as error:  # whatever a transform raises
                if isinstance(error, FileError) or _is_ours(transform, error) or not files:
                    raise
                raise ValueError(_sentence(files, transform, shape, error)) from error
            if results is None:
                return None
            if isinstance(transform, LoadImageFromFile) and (
                fault := image_finite(files.get('img_path', 'an image'), results['img'])
            ):
                raise FileError(fault)
            if self.check is not None and number == self.place:
                self.check(results)
            name = type(transform).__name__
            if name == 'Pad':
                height, width = results['img'].shape[:2]
                padding = [0, width - shape[1], 0, height - shape[0]]
            elif name == EVALUATED_HERE:
                padding = None  # predictions are wanted as the image is now
        if self.evaluated:
            _note(results, padding)
        return results


def described(transforms: Sequence[Transform]) -> str:
    """Name the transforms of a pipeline, for an error message."""
    return ', '.join(type(transform).__name__ for transform in transforms)


def _note(packed: Any, padding: list[int] | None) -> None:
    """Write padding (left, right, top, bottom) into a packed image, and check that its mask fits its prediction."""
    sample = packed.get('data_samples')
    if sample is None or isinstance(sample, list):
        return  # the views of test-time augmentation, where nothing pads
    if padding is not None:
        sample.set_metainfo({'padding_size': padding})
    wanted = sample.metainfo.get('ori_shape')
    if 'gt_sem_seg' in sample and wanted is not None and tuple(sample.gt_sem_seg.shape) != tuple(wanted[:2]):
        sizes = ['x'.join(map(str, size[:2])) for size in (sample.gt_sem_seg.shape, wanted)]
        raise ValueError(
            f'{sample.metainfo.get("seg_map_path") or sample.metainfo.get("img_path")} is {sizes[0]} (height x width) '
            f'after its pipeline, but predictions come back at {sizes[1]}: put LoadAnnotations after Resize and Pad, '
            'or mmdmt.EvaluateAtThisSize after them.'
        )


def _is_ours(transform: Callable[..., Any], error: Exception) -> bool:
    return type(transform).__module__.startswith('mmdmt.') and isinstance(error, ValueError | OSError)


def _sentence(files: dict[str, str], transform: Callable[..., Any], shape: tuple[int, ...], error: Exception) -> str:
    if isinstance(transform, LoadImageFromFile | LoadAnnotations):
        keys = ['img_path'] if isinstance(transform, LoadImageFromFile) else ['seg_map_path']
        for key in [key for key in keys if key in files]:
            fault = _fault(files[key], transform.backend_args) or f'cannot be loaded ({_reason(error)})'
            return f'{files[key]} ({key}) {fault}: replace it, or take it off the list.'
    size = f' It had {shape[1]}x{shape[0]} pixels there.' if len(shape) == 2 else ''
    return (
        f'{files.get("img_path") or next(iter(files.values()))} cannot go through {type(transform).__name__} of its '
        f'pipeline ({_reason(error)}): mend the transform, replace the image, or take it off the list.{size}'
    )


def _reason(error: Exception) -> str:
    return f'{type(error).__name__}: {" ".join(str(error).split())}'


def _fault(path: str, storage: dict[str, Any] | None) -> str:
    try:
        data = fileio.get(path, backend_args=storage)
    except OSError as error:
        return f'cannot be read ({error.strerror or error})'
    if not data:
        return 'is empty'
    try:
        return '' if imfrombytes(data, flag='unchanged') is not None else 'is not an image'
    except Exception as error:  # whatever the decoder raises
        return f'is not an image ({error})'
