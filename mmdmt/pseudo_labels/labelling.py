"""Labelling: one forward pass of every peer over the unlabelled images."""

import hashlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_reduce, barrier, broadcast_object_list, get_dist_info, is_main_process
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mmdmt.pseudo_labels.bank import BankWriter, Manifest, PseudoLabelBank, summarize
from mmdmt.pseudo_labels.progress import progress
from mmdmt.pseudo_labels.thresholds import ConfidenceHistogram


class Labellable(Protocol):
    """An unlabelled dataset, as labelling needs it."""

    @property
    def metainfo(self) -> dict[str, Any]:
        """With ``classes``."""

    def num_unlabeled(self) -> int:
        """Return the number of images."""

    def names_digest(self) -> str:
        """Return a digest of the images' names."""

    def labelling_item(self, index: int) -> dict[str, Any]:
        """Return an image, ready for a data preprocessor."""


class _Shard(Dataset[dict[str, Any]]):
    """The images that one process labels, with their numbers."""

    def __init__(self, dataset: Labellable, rank: int, world_size: int) -> None:
        self.dataset = dataset
        self.images = range(rank, dataset.num_unlabeled(), world_size)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> dict[str, Any]:
        return {**self.dataset.labelling_item(self.images[position]), 'image': self.images[position]}


def label(
    peers: Mapping[str, nn.Module],
    dataset: Labellable,
    root: Path,
    run: str,
    phase: int,
    label_ratio: float,
    batch_size: int = 1,
    num_workers: int = 2,
) -> None:
    """Label the unlabelled images with every peer, and complete one bank for each.

    Each process labels every ``world_size``-th image. Evaluation mode, the whole image at its labelling size (or the
    segmentor's own sliding window), no flip, softmax in float32. A bank that is complete already, written by the same
    run with the same weights for the same images, is left as it is.

    Args:
        peers (Mapping[str, nn.Module]): Segmentors by name, without distributed wrappers. Left in the mode they have.
        dataset (Labellable): The unlabelled images.
        root (Path): Folder that gets one bank folder for each peer.
        run (str): Identity of the run.
        phase (int): Number of the phase.
        label_ratio (float): Share of each predicted class to keep, in (0, 1].
        batch_size (int): Images of one size forwarded together. Defaults to 1.
        num_workers (int): Data workers. Defaults to 2.
    """
    identities: dict[str, dict[str, Any]] = {
        name: dict(run=run, phase=phase, peer=name, weights=weights_digest(peer), label_ratio=label_ratio)
        for name, peer in peers.items()
    }
    names = dataset.names_digest()
    # One process looks, so that none waits for another that thinks differently.
    there = [all(_is_there(root / name, **identity, names=names) for name, identity in identities.items())]
    broadcast_object_list(there)
    if there[0]:
        print_log(f'Phase {phase}: the images were labelled before the run was interrupted.', logger='current')
        return
    if is_main_process():
        shutil.rmtree(root, ignore_errors=True)  # what an interrupted labelling has left
    barrier()
    histograms = _forward_all(peers, dataset, root, phase, batch_size, num_workers)
    barrier()
    _, shards = get_dist_info()
    for name, histogram in histograms.items():
        _sum_over_processes(histogram)
        thresholds = histogram.thresholds(label_ratio)
        manifest = Manifest(
            **identities[name],
            images=dataset.num_unlabeled(),
            names=names,
            thresholds=tuple(thresholds.tolist()),
            totals=tuple(histogram.totals.tolist()),
            kept=tuple(histogram.kept(thresholds).tolist()),
            shards=shards,
        )
        if is_main_process():
            manifest.write(root / name)
            PseudoLabelBank(root / name)  # reads back the index of every process
        _report(manifest, dataset.metainfo['classes'])
    barrier()


@torch.no_grad()
def _forward_all(
    peers: Mapping[str, nn.Module], dataset: Labellable, root: Path, phase: int, batch_size: int, num_workers: int
) -> dict[str, ConfidenceHistogram]:
    rank, world_size = get_dist_info()
    shard = _Shard(dataset, rank, world_size)
    loader = DataLoader(shard, batch_size=batch_size, num_workers=num_workers, collate_fn=pseudo_collate)
    histograms = {name: ConfidenceHistogram(len(dataset.metainfo['classes'])) for name in peers}
    with ExitStack() as stack:
        stack.enter_context(_evaluation_mode(peers.values()))
        bar = stack.enter_context(progress(f'Phase {phase}: labelling', len(shard)))
        writers = {name: stack.enter_context(BankWriter(root / name, rank)) for name in peers}
        for batch in loader:
            for images, data in _by_size(batch):
                for name, peer in peers.items():
                    for image, (labels, confidence) in zip(images, predict(peer, data), strict=True):
                        writers[name].write(image, labels, confidence)
                        histograms[name].update(labels, confidence)
            bar.update(len(batch['image']))
    return histograms


def predict(peer: nn.Module, data: dict[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Label images of one size with a segmentor in evaluation mode.

    Args:
        peer (nn.Module): The segmentor.
        data (dict): ``inputs`` and ``data_samples``, not preprocessed.

    Returns:
        list[tuple]: For each image the class of highest probability, (H, W) uint8, and that probability, (H, W)
        float32, at the image's own size.
    """
    samples = [sample.new() for sample in data['data_samples']]
    for sample in samples:
        # A segmentor scales its logits to ori_shape; labels are wanted at the size of the image it is given.
        sample.set_metainfo({'ori_shape': sample.img_shape})
    batch = peer.data_preprocessor({**data, 'data_samples': samples}, False)  # type: ignore[operator]
    return [_most_probable(sample.seg_logits.data) for sample in peer(**batch, mode='predict')]


def _most_probable(logits: Tensor) -> tuple[np.ndarray, np.ndarray]:
    confidence, label = logits.float().softmax(dim=0).max(dim=0)
    return label.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy()


def _by_size(batch: dict[str, Any]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Split a batch into images of one size, which a segmentor can forward together."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for position, image in enumerate(batch['inputs']):
        sizes.setdefault(tuple(image.shape), []).append(position)
    for positions in sizes.values():
        yield (
            [batch['image'][i] for i in positions],
            {key: [batch[key][i] for i in positions] for key in ('inputs', 'data_samples')},
        )


def weights_digest(module: nn.Module) -> str:
    """Return the SHA-256 of a module's parameters and buffers, names included."""
    digest = hashlib.sha256()
    for key, value in module.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _is_there(folder: Path, **identity: Any) -> bool:
    try:
        PseudoLabelBank(folder).manifest.check(folder, **identity)
    except (FileNotFoundError, ValueError):
        return False
    return True


def _sum_over_processes(histogram: ConfidenceHistogram) -> None:
    counts = torch.from_numpy(histogram.counts)
    all_reduce(counts, op='sum')
    histogram.counts[:] = counts.numpy()


def _report(manifest: Manifest, classes: Sequence[str]) -> None:
    table = summarize(manifest, classes)
    print_log(f'Phase {manifest.phase}: pseudo labels of {manifest.peer!r}\n{table}', logger='current')
    without = [name for name, kept in zip(classes, manifest.kept, strict=True) if not kept]
    if without:
        print_log(
            f'Phase {manifest.phase}: {manifest.peer!r} gives no pseudo label to {", ".join(without)}: its learner '
            'sees these classes in ground truth alone.',
            logger='current',
            level=logging.WARNING,
        )


@contextmanager
def _evaluation_mode(modules: Any) -> Iterator[None]:
    modes = [(module, module.training) for module in modules]
    for module, _ in modes:
        module.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.train(training)
