"""Follow the size of an image through a test pipeline, so that its prediction comes back to the size of the file."""

from typing import Any

import numpy as np
from mmcv.transforms import Pad, TestTimeAug

from mmdmt.labels.pixels.label_facts import flat
from mmdmt.rules.checked_pipeline import Transform

PADDED_TWICE = (
    'Images are padded twice, by Pad in the test pipeline and by test_cfg of data_preprocessor, of which one can be '
    'undone: take Pad out'
)

Size = tuple[int, int]


class StoredSize:
    """Note what padding is to be cut off a prediction, while one image goes through its transforms.

    MMSegmentation resizes a prediction to ``ori_shape``, the size of the loaded image, padding included; with
    ``padding_size`` in the meta of the sample it cuts the padding off first.

    Examples:
        >>> from mmseg.datasets.transforms import PackSegInputs
        >>> follower, results = StoredSize(), dict(img=np.zeros((40, 60, 3), np.uint8), img_path='a.png')
        >>> for transform in (lambda results: results, Pad(size=(64, 64)), PackSegInputs(meta_keys=())):
        ...     results = transform(results)
        ...     follower.see(transform, results)
        >>> follower.note(results)
        >>> results['data_samples'].padding_size  # left, right, top, bottom
        [0, 4, 0, 24]
    """

    def __init__(self) -> None:
        self._content: Size | None = None  # height and width of what is not padding, in the upper left corner
        self._size: Size | None = None
        self._original: Any = None
        self._fault = ''

    def see(self, transform: Transform, results: Any) -> None:
        """Look at what a transform has made of the image.

        Args:
            transform (Callable): It.
            results (dict): What it has returned.
        """
        image = results.get('img')
        if not isinstance(image, np.ndarray):
            return
        before, self._size = self._size, image.shape[:2]
        if before is None or self._content is None or self._is_original(results):
            self._content, self._fault = self._size, ''
        elif self._size != before and _resizes(transform):
            pairs = zip(self._content, self._size, before, strict=True)
            height, width = (round(part * new / old) for part, new, old in pairs)
            self._content = height, width
        elif self._size != before and not isinstance(transform, Pad):
            self._fault = self._fault or (
                f'{type(transform).__name__} of the test pipeline makes {_told(self._size)} (height x width) of '
                f'{results.get("img_path")}, which is {_told(before)}: only resizing and padding can be undone, so '
                'take it out.'
            )
        if self._content != self._size and results.get('flip'):
            told = f'{type(transform).__name__} of the test pipeline flips padded images: take it out.'
            self._fault = self._fault or told

    def note(self, packed: Any) -> None:
        """Write the padding into the packed sample.

        Args:
            packed (dict): What the last transform has returned.

        Raises:
            ValueError: If a transform has changed the size in a way that cannot be undone, or the mask of the image has
                not the size of its prediction.
        """
        if self._fault:
            raise ValueError(self._fault)
        sample = packed.get('data_samples')
        if sample is None or isinstance(sample, list):
            return  # the views of test-time augmentation, which check_undone knows
        if self._content is not None and self._size is not None and self._content != self._size:
            (height, width), content = self._size, self._content
            sample.set_metainfo({'padding_size': [0, width - content[1], 0, height - content[0]]})
        wanted = sample.metainfo.get('ori_shape')
        if 'gt_sem_seg' in sample and wanted is not None and tuple(sample.gt_sem_seg.shape) != tuple(wanted[:2]):
            raise ValueError(
                f'{sample.metainfo.get("seg_map_path") or sample.metainfo.get("img_path")} is '
                f'{_told(sample.gt_sem_seg.shape)} (height x width) after its pipeline, but predictions come back at '
                f'{_told(wanted)}: put LoadAnnotations after Resize and Pad, or mmdmt.EvaluateAtThisSize after them.'
            )

    def _is_original(self, results: Any) -> bool:
        """Whether a transform has told that predictions are wanted at the present size."""
        before, self._original = self._original, results.get('ori_shape')
        return before != self._original and tuple(self._original[:2]) == self._size


def check_undone(name: str, transforms: Any, pads_again: bool) -> None:
    """Refuse padding of evaluated images, and crops of views of them, that cannot be undone.

    Args:
        name (str): As sentences name the dataset.
        transforms (Sequence[Callable]): Its pipeline.
        pads_again (bool): Whether a ``data_preprocessor`` pads in testing, too.

    Raises:
        ValueError: If there are such.
    """
    views = next((step for step in flat(transforms) if isinstance(step, TestTimeAug)), None)
    held = [step for part in getattr(views, 'subroutines', ()) for step in flat(part)]
    cuts = next((type(step).__name__ for step in held if 'Crop' in type(step).__name__), '')
    if cuts:
        raise ValueError(
            f'The pipeline of {name} has {cuts} in TestTimeAug, which is not undone before views are averaged: take it '
            'out. Resize and RandomFlip are undone.'
        )
    if not any(isinstance(step, Pad) for step in (*flat(transforms), *held)):
        return
    if pads_again:
        raise ValueError(f'{PADDED_TWICE} of the pipeline of {name}.')
    if views is not None:
        raise ValueError(
            f'The pipeline of {name} pads images for test-time augmentation, which cannot be undone: take Pad out.'
        )


def _resizes(transform: Any) -> bool:
    """Tell whether a transform changes the scale of an image alone, by the names that the toolboxes give such."""
    kinds = [kind.__name__ for kind in type(transform).__mro__]
    return any('Resize' in kind or 'Scale' in kind for kind in kinds)


def _told(size: Any) -> str:
    return 'x'.join(map(str, size[:2]))
