"""Dataset of scikit-learn's handwritten digits: semi-supervised classification without a download."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from mmengine.dataset import BaseDataset

from mmdmt.datasets.digits.digit_rendering import load_handwriting
from mmdmt.registry import DATASETS

PARTS = ('labeled', 'unlabeled', 'val')
_CLASSES = tuple('0123456789')


@DATASETS.register_module()
class Digits(BaseDataset):
    """The 1 797 digits of scikit-learn's ``load_digits``, 8x8 pixels enlarged, in ten classes.

    The digits of each class are shuffled by ``seed``: the last ``val_per_class`` are for validation, the first
    ``labels_per_class`` are labeled, the rest is unlabeled. So few labels are some of the labels of a larger
    number.

    Args:
        part: ``'labeled'``, ``'unlabeled'`` or ``'val'``. Default: ``'labeled'``.
        labels_per_class: Labeled digits of each class. Default: 4.
        val_per_class: Digits of each class to validate on. Default: 50.
        size: Height and width of an image in pixels. Default: 16.
        seed: Of the shuffling. Default: 1.
        pipeline: Transforms, as in every dataset of MMPretrain; the images need no loading. Default: ().
        **kwargs: Other arguments of MMEngine's ``BaseDataset``.

    Raises:
        ValueError: If ``part`` is unknown, or a class has not as many digits.
    """

    METAINFO = dict(classes=_CLASSES)

    def __init__(
        self,
        part: str = 'labeled',
        labels_per_class: int = 4,
        val_per_class: int = 50,
        size: int = 16,
        seed: int = 1,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] = (),
        **kwargs: Any,
    ) -> None:
        if part not in PARTS:
            raise ValueError(f'mmdmt.Digits has no part {part!r}: choose one of {", ".join(PARTS)}.')
        self.part = part
        self.labels_per_class = labels_per_class
        self.val_per_class = val_per_class
        self.size = size
        self.seed = seed
        super().__init__(pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the digits of the part.

        Returns:
            One entry a digit: ``img`` ((size, size, 3) uint8), ``gt_label`` and ``img_path``, a name, not a file.
        """
        images, labels = load_handwriting()
        numbers = np.concatenate([self._chosen(np.flatnonzero(labels == label)) for label in range(10)])
        return [self._entry(int(n), images[n], int(labels[n])) for n in np.sort(numbers)]

    def _chosen(self, numbers: np.ndarray) -> np.ndarray:
        if not 0 < self.labels_per_class < len(numbers) - self.val_per_class:
            raise ValueError(
                f'mmdmt.Digits has {len(numbers)} digits of a class, which are not enough for labels_per_class='
                f'{self.labels_per_class} and val_per_class={self.val_per_class}: use smaller numbers.'
            )
        shuffled = np.random.default_rng(self.seed).permutation(numbers)
        train, val = shuffled[: -self.val_per_class], shuffled[-self.val_per_class :]
        return {'labeled': train[: self.labels_per_class], 'unlabeled': train[self.labels_per_class :], 'val': val}[
            self.part
        ]

    def _entry(self, number: int, image: np.ndarray, label: int) -> dict[str, Any]:
        gray = (image * 255).astype(np.uint8)
        enlarged = cv2.resize(gray, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        return dict(img=np.dstack([enlarged] * 3), gt_label=label, img_path=f'digits/{number:04d}')
