"""The pipeline of a dataset whose images are checked when they are loaded, and whose errors name the file."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mmcv.image import imfrombytes
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import Compose
from mmengine.fileio import BaseStorageBackend, register_backend

from mmdmt.rules.file_rules import mask_mode
from mmdmt.rules.findings import FileError
from mmdmt.rules.image_content import read_content

Transform = Callable[[dict[str, Any]], Any]

_BACKEND = 'mmdmt.checked_mask'


class CheckedMaskBackend(BaseStorageBackend):
    """Hand on the bytes of a mask if they hold one channel of 8 bits, so that its file is read once.

    Args:
        inner (dict, optional): ``backend_args`` of the storage that has the file. Defaults to None.
    """

    def __init__(self, inner: dict[str, Any] | None = None) -> None:
        self._inner = inner

    def get(self, filepath: str) -> bytes:
        """Read a mask.

        Raises:
            FileError: If it is an image of another mode.
        """
        data: bytes = fileio.get(filepath, backend_args=self._inner)
        finding = mask_mode(str(filepath), read_content(data))
        if finding is not None and finding.stops:
            raise FileError(finding)
        return data

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """Read a text, unchecked."""
        text: str = fileio.get_text(filepath, encoding, backend_args=self._inner)
        return text


register_backend(_BACKEND, CheckedMaskBackend, force=True)


class Follower(Protocol):
    """Follows one image through a pipeline."""

    def see(self, transform: Transform, results: Any) -> None:
        """Look at what a transform has returned."""

    def note(self, packed: Any) -> None:
        """Look at what the last transform has returned, and write into it."""


class CheckedPipeline(Compose):
    """Transforms that an image goes through; an error in one names the file of the image.

    Args:
        transforms (Sequence[Callable]): What it goes through.
        check (Callable, optional): Looks at the results of one of them, and raises. Defaults to None.
        place (int): Number of that one. Defaults to -1, the last.
        follow (Callable, optional): Makes what looks at each image after each transform, and at the packed image.
            Defaults to None.
    """

    def __init__(
        self,
        transforms: Sequence[Transform],
        check: Callable[[dict[str, Any]], None] | None = None,
        place: int = -1,
        follow: Callable[[], Follower] | None = None,
    ) -> None:
        super().__init__(list(transforms))
        self.check = check
        self.follow = follow
        self.place = place % max(1, len(self.transforms))

    def until_checked(self) -> 'CheckedPipeline':
        """Return the part of it that is needed for the check; without a check, the loading of the image alone."""
        end = self.place if self.check is not None else 0
        return CheckedPipeline(self.transforms[: end + 1], self.check)

    def __call__(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Let an image go through.

        Args:
            data (dict): The dataset's information on it.

        Raises:
            ValueError: If it cannot, naming the file and the transform.
            FileNotFoundError: If a file of it does not exist.
        """
        files = {key: str(data[key]) for key in ('img_path', 'seg_map_path') if data.get(key)}
        results: Any = data
        follower = None if self.follow is None else self.follow()
        for number, transform in enumerate(self.transforms):
            shape = getattr(results.get('img'), 'shape', ())[:2]
            try:
                results = transform(results)
            except Exception as error:  # whatever a transform raises
                if isinstance(error, FileError) or _is_ours(transform, error) or not files:
                    raise
                raise ValueError(_sentence(files, transform, shape, error)) from error
            if results is None:
                return None
            if self.check is not None and number == self.place:
                self.check(results)
            if follower is not None:
                follower.see(transform, results)
        if follower is not None:
            follower.note(results)
        return results


def described(transforms: Sequence[Transform]) -> str:
    """Name the transforms of a pipeline, for an error message."""
    return ', '.join(type(transform).__name__ for transform in transforms)


def check_when_loaded(loader: LoadAnnotations) -> None:
    """Let MMSegmentation's loader of masks check the content of each file that it reads.

    Args:
        loader (LoadAnnotations): Changed in place; one that reads masks in its own way is left as it is.
    """
    from mmseg.datasets.transforms import LoadAnnotations as LoadMask  # classification needs no MMSegmentation

    reads = getattr(type(loader), '_load_seg_map', None)
    if reads is LoadMask._load_seg_map and (loader.backend_args or {}).get('backend') != _BACKEND:
        loader.backend_args = {'backend': _BACKEND, 'inner': loader.backend_args}


def storage_of(loader: Any) -> dict[str, Any] | None:
    """Return the ``backend_args`` of a loader, as the user has set them."""
    arguments: dict[str, Any] | None = getattr(loader, 'backend_args', None)
    if arguments and arguments.get('backend') == _BACKEND:
        inner: dict[str, Any] | None = arguments['inner']
        return inner
    return arguments


def _is_ours(transform: Callable[..., Any], error: Exception) -> bool:
    return type(transform).__module__.startswith('mmdmt.') and isinstance(error, ValueError | OSError)


def _sentence(files: dict[str, str], transform: Callable[..., Any], shape: tuple[int, ...], error: Exception) -> str:
    if isinstance(transform, LoadImageFromFile | LoadAnnotations):
        keys = ['img_path'] if isinstance(transform, LoadImageFromFile) else ['seg_map_path']
        for key in [key for key in keys if key in files]:
            fault = _fault(files[key], storage_of(transform)) or f'cannot be loaded ({_reason(error)})'
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
