"""Record what a classifier predicts for unlabeled images."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import barrier, broadcast_object_list, get_dist_info, is_main_process
from torch import Tensor

from mmdmt.atomic_write import room_to_write
from mmdmt.labels.images.bank import SCORES, SELECTED, ScoreManifest, digest_of
from mmdmt.labels.manifest import ROOM
from mmdmt.method.thresholds import most_confident


class ImageRecorder:
    """Write what a classifier predicts into a :class:`~mmdmt.labels.images.bank.ScoreBank`.

    Args:
        folder (Path): Of the bank.
        num_images (int): Of the unlabeled dataset.
        num_classes (int): Of the labeled dataset.
    """

    def __init__(self, folder: Path, num_images: int, num_classes: int) -> None:
        self.folder = folder
        self._rank, self._shards = get_dist_info()
        self._scores = np.zeros((num_images, num_classes), np.float32)

    def __enter__(self) -> 'ImageRecorder':
        """Make the folder."""
        with room_to_write(self.folder, ROOM):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        """Write the scores of this process, unless it has failed."""
        if kind is None:
            _save(self._part(self._rank), self._scores[self._rank :: self._shards])

    def record(self, images: Sequence[int], predicted: Iterable[tuple[Sequence[int], Tensor]]) -> None:
        """Label images and keep the scores.

        Args:
            images (Sequence[int]): Their numbers.
            predicted (Iterable[tuple]): Of images that were forwarded together: their positions in ``images`` and their
                softmax, float32 (N, classes).
        """
        for positions, scores in predicted:
            self._scores[[images[position] for position in positions]] = scores.cpu().numpy()

    def complete(self, label_ratio: float, **identity: Any) -> ScoreManifest:
        """Join the scores of all processes, select the images and complete the bank.

        Args:
            label_ratio (float): Share to keep, in (0, 1].
            **identity: What else stands in the manifest.
        """
        manifest: list[ScoreManifest | None] = [None]
        if is_main_process():
            for rank in range(self._shards):
                self._scores[rank :: self._shards] = np.load(self._part(rank), allow_pickle=False)
                self._part(rank).unlink()
            _save(self.folder / SCORES, self._scores)
            manifest = [self._manifest(label_ratio, **identity)]
            manifest[0].write(self.folder)  # type: ignore[union-attr]
        broadcast_object_list(manifest)
        barrier()
        assert manifest[0] is not None
        return manifest[0]

    def _manifest(self, label_ratio: float, **identity: Any) -> ScoreManifest:
        selected = most_confident(self._scores, label_ratio)
        _save(self.folder / SELECTED, selected)
        confidence, prediction = self._scores.max(axis=1), self._scores.argmax(axis=1)
        classes = range(self._scores.shape[1])
        kept = [confidence[selected][prediction[selected] == one] for one in classes]
        return ScoreManifest(
            **identity,
            label_ratio=label_ratio,
            images=len(self._scores),
            thresholds=tuple(float(one.min()) if one.size else np.inf for one in kept),
            totals=tuple(int((prediction == one).sum()) for one in classes),
            kept=tuple(one.size for one in kept),
            shards=self._shards,
            checksum=digest_of(self.folder / SCORES, self.folder / SELECTED),
        )

    def _part(self, rank: int) -> Path:
        return self.folder / f'scores-{rank}.npy'


def _save(path: Path, values: np.ndarray) -> None:
    with room_to_write(path, ROOM):
        np.save(path, values)
