"""Dataset of scikit-learn's handwritten digits: semi-supervised classification without a download."""

from typing import Any

import cv2
import numpy as np
from mmengine.dataset import BaseDataset

from mmdmt.datasets.digits.digit_rendering import load_handwriting
from mmdmt.registry import DATASETS
from mmdmt.settings import Choice, check_settings


@DATASETS.register_module()
class Digits(BaseDataset):
    """The 1 797 digits of scikit-learn's ``load_digits``, 8x8 pixels enlarged, in ten classes.

    The digits of each class are shuffled by ``seed``: the last ``val_per_class`` are for validation, the first
    ``labels_per_class`` are labeled, the rest is unlabeled.

    Args:
        part: ``'labeled'``, ``'unlabeled'`` or ``'val'``. Default: ``'labeled'``.
        labels_per_class: Labeled digits of each class. Default: 4.
        val_per_class: Digits of each class to validate on. Default: 50.
        size: Height and width of an image in pixels. Default: 16.
        seed: Of the shuffling. Default: 1.
        **kwargs: Other arguments of MMEngine's ``BaseDataset``; in a ``pipeline`` the images need no loading.

    Raises:
        ValueError: If ``part`` is unknown, or a class has not as many digits.
    """

    SETTINGS = {'part': Choice('labeled', 'unlabeled', 'val')}
    METAINFO = dict(classes=tuple('0123456789'))

    def __init__(
        self,
        part: str = 'labeled',
        labels_per_class: int = 4,
        val_per_class: int = 50,
        size: int = 16,
        seed: int = 1,
        **kwargs: Any,
    ) -> None:
        check_settings(self, locals())
        self.part, self.size, self.seed = part, size, seed
        self.labels_per_class, self.val_per_class = labels_per_class, val_per_class
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the digits: ``img`` ((size, size, 3) uint8), ``gt_label`` and ``img_path``, a name, not a file."""
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
        few = self.labels_per_class
        parts: dict[str, np.ndarray] = {'labeled': train[:few], 'unlabeled': train[few:], 'val': val}
        return parts[self.part]

    def _entry(self, number: int, image: np.ndarray, label: int) -> dict[str, Any]:
        gray = (image * 255).astype(np.uint8)
        enlarged = cv2.resize(gray, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        return dict(img=np.dstack([enlarged] * 3), gt_label=label, img_path=f'digits/{number:04d}')
