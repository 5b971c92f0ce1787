"""Label the unlabeled images by one forward pass of every peer."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import barrier, broadcast_object_list, get_dist_info, is_main_process
from mmengine.logging import print_log
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmdmt.evaluation_mode import evaluation_mode
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.progress import progress
from mmdmt.labels.space import LabelSpace
from mmdmt.stop_signal import SIGNAL, LeaveSignals

Precision = Mapping[str, Callable[[], AbstractContextManager[Any]]]
Predict = Callable[[nn.Module, dict[str, Any]], Iterable[Any]]


class Bank(Protocol):
    """A complete bank of a labeler's pseudo labels, of ``len()`` images."""

    @property
    def manifest(self) -> Manifest:
        """What is in it and where it comes from."""

    def __len__(self) -> int: ...

    def unfiltered(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the label of an image, nothing dropped, and the confidence in it, both (H, W)."""

    def kept(self, image: int) -> np.ndarray:
        """Read the label of an image; what is dropped has a label beyond the classes."""


class Recorder(Protocol):
    """What writes a bank: its context opens the files of this process, and closes them."""

    def __enter__(self) -> 'Recorder': ...

    def __exit__(self, *error: Any) -> None: ...

    def record(self, images: Sequence[int], predicted: Iterable[Any]) -> None:
        """Write the labels that a peer predicts for images of any sizes."""

    def complete(self, label_ratio: float, **identity: Any) -> Manifest:
        """Complete the bank when all processes have closed their files; all of them call this."""


class Unlabeled(Protocol):
    """The unlabeled images of a :class:`mmdmt.MutualDataset`."""

    @property
    def metainfo(self) -> dict[str, Any]:
        """With ``classes``."""

    @property
    def ignored(self) -> int | None:
        """The label that is not trained on, be it one of the classes or not; None if there is none."""

    def num_unlabeled(self) -> int:
        """Return the number of images."""

    def names_digest(self) -> str:
        """Return a digest of the images' names."""

    def labeling_item(self, index: int) -> dict[str, Any]:
        """Return an image, ready for a data preprocessor."""

    def has_truth(self) -> bool:
        """Whether the truth is known of any image."""

    def truth(self, index: int) -> np.ndarray | None:
        """Load the truth of an image in the geometry in which it is labeled; None if it has none."""


class _Shard(Dataset[dict[str, Any]]):
    """The images that one process labels, with their numbers."""

    def __init__(self, dataset: Unlabeled, rank: int, world_size: int) -> None:
        self.dataset = dataset
        self.images = range(rank, dataset.num_unlabeled(), world_size)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> dict[str, Any]:
        return {**self.dataset.labeling_item(self.images[position]), 'image': self.images[position]}


def label(
    peers: Mapping[str, nn.Module],
    dataset: Unlabeled,
    store: LabelSpace,
    predict: Predict,
    root: Path,
    run: str,
    phase: int,
    label_ratio: float,
    batch_size: int = 1,
    num_workers: int = 2,
    precision: Precision | None = None,
) -> float | None:
    """Label all unlabeled images with every peer, and find what each keeps.

    Every process calls this; each labels its share of the images. Complete banks of the same labelers are taken as they
    are, so that nothing is done twice when a run is resumed.

    Args:
        peers (Mapping[str, nn.Module]): Segmentors or classifiers by name, on their device.
        dataset (Unlabeled): The images.
        store (LabelSpace): ``labels`` of the dataset, which writes and reads the banks.
        predict (Callable): Forwards a peer for a batch that is not preprocessed.
        root (Path): Folder that gets one bank folder for each peer.
        run (str): Identity of the run.
        phase (int): Number of the phase.
        label_ratio (float): Share to keep, in (0, 1].
        batch_size (int): Images loaded together; those that padding makes equal are forwarded together. Defaults to 1.
        num_workers (int): Data workers. Defaults to 2.
        precision (Mapping[str, Callable], optional): Makes the context in which a peer is forwarded, such as automatic
            mixed precision. Defaults to None, the precision of the weights.

    Returns:
        float | None: The seconds it took; None if the banks were there.
    """
    started = time.monotonic()
    identities: dict[str, dict[str, Any]] = {
        name: dict(run=run, phase=phase, peer=name, weights=weights_digest(peer), label_ratio=label_ratio)
        for name, peer in peers.items()
    }
    names = dataset.names_digest()
    # One process looks, so that none waits for another that thinks differently.
    there = [all(_is_there(store, root / name, **identity, names=names) for name, identity in identities.items())]
    broadcast_object_list(there)
    if there[0]:
        print_log(f'Phase {phase}: the images were labeled before the run was interrupted.', logger='current')
        return None
    print_log(f'Phase {phase}: labeling {dataset.num_unlabeled()} images.', logger='current')
    if is_main_process():
        shutil.rmtree(root, ignore_errors=True)  # what an interrupted labeling has left
    barrier()
    num_classes = len(dataset.metainfo['classes'])
    recorders = {name: store.recorder(root / name, dataset.num_unlabeled(), num_classes) for name in peers}
    shard = _Shard(dataset, *get_dist_info())
    settings = dict(collate_fn=pseudo_collate, worker_init_fn=LeaveSignals())
    loader: Any = DataLoader(shard, batch_size, num_workers=num_workers, **settings)
    with (
        torch.no_grad(),
        evaluation_mode(peers.values()),
        progress(f'Phase {phase}: labeling', len(shard)) as bar,
        ExitStack() as files,
    ):
        for recorder in recorders.values():
            files.enter_context(recorder)
        for batch in loader:
            for name, peer in peers.items():
                with (precision or {}).get(name, nullcontext)():
                    recorders[name].record(batch['image'], predict(peer, batch))
            bar.update(len(batch['image']))
            SIGNAL.end_if_pending()
    barrier()
    for name, recorder in recorders.items():
        recorder.complete(**identities[name], names=names)
        if is_main_process():
            store.bank(root / name)  # reads back what every process has written
    barrier()
    return time.monotonic() - started


def weights_digest(module: nn.Module) -> str:
    """Return the SHA-256 of a module's parameters and buffers, names included."""
    digest = hashlib.sha256()
    for key, value in module.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _is_there(store: LabelSpace, folder: Path, **identity: Any) -> bool:
    try:
        store.bank(folder).manifest.check(folder, **identity)
    except (FileNotFoundError, ValueError):
        return False
    return True
