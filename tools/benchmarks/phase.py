"""One whole phase, labeling and training of two peers, against the steps of the paper's own code.

Their steps, written anew from the description: each peer is a run of its own; a first forward pass over the unlabeled
images collects the confidences of every 16th pixel and sorts them for each class; a second one writes a float32
``.npy`` of label and confidence for each image; then the peer trains on what is read back, weighing as ``naive_loss``
does. Networks, images, batches and iterations are ours.
"""

import tempfile
from functools import partial
from pathlib import Path

import networks
import numpy as np
import torch
from iteration import PEERS, sgd
from labeling import RATIO, label_anew
from measure import Rows, interleaved, peak_bytes, ratios
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapperDict
from mmengine.registry import init_default_scope
from naive import naive_loss, naive_threshold
from torch import nn

from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.models.mutual_training import DynamicMutualTraining

CLASSES = 6
EVERY = 16


def phase_time(
    repeats: int,
    size: int = 128,
    images: int = 12,
    iterations: int = 6,
    batch: int = 4,
    width: int = 64,
    device: str = 'cpu',
) -> Rows:
    """Run a phase in both ways; time, bytes written and the most bytes of tensors alive."""
    init_default_scope('mmseg')
    config = networks.resnet18(width, CLASSES, size)
    unlabeled = networks.Unlabeled(networks.noise_images(images, size, size), CLASSES)
    with tempfile.TemporaryDirectory() as folder:
        ours = partial(_ours, config, unlabeled, Path(folder) / 'ours', iterations, batch, device)
        theirs = partial(_theirs, config, unlabeled, Path(folder) / 'theirs', iterations, batch, device)
        times = interleaved({'ours': ours, 'theirs': theirs}, min(repeats, 3))
        written = [_bytes(Path(folder) / name) for name in ('ours', 'theirs')]
        peaks = [peak_bytes(function) for function in (ours, theirs)]
    return {
        'phase_vs_reference': ratios(times, 'ours', 'theirs'),
        'phase_disk_vs_reference': [written[0] / written[1]],
        'phase_memory_vs_reference': [peaks[0] / peaks[1]],
    }


def _ours(
    config: dict, unlabeled: networks.Unlabeled, root: Path, iterations: int, batch: int, device: str = 'cpu'
) -> None:
    torch.manual_seed(0)
    model = DynamicMutualTraining(peers=Config({name: config for name in PEERS}))
    model.init_weights()
    model.to(device)
    optimizers = OptimWrapperDict(**{name: sgd(peer) for name, peer in model.peers.items()})
    label_anew(model.bare_peers, unlabeled, root)
    banks = {name: PseudoLabelBank(root / name) for name in PEERS}
    model.train()
    for first in range(iterations):
        items = []
        for peer, labeler in model.labelers.items():
            for image in _drawn(first, batch, unlabeled):
                label, confidence = map(torch.from_numpy, banks[labeler].read(image))
                items.append(networks.labeled(unlabeled.items[image], label.long(), confidence, peer))
        model.train_step(pseudo_collate(items), optimizers)
    _wait(device)


def _theirs(
    config: dict, unlabeled: networks.Unlabeled, root: Path, iterations: int, batch: int, device: str = 'cpu'
) -> None:
    """Do what two runs of the reference do, one after the other."""
    torch.manual_seed(0)
    peers = {name: networks.build(config).to(device) for name in PEERS}
    for name, peer in peers.items():
        _label_twice(peer.eval(), unlabeled, root / name)
    for name, labeler in zip(PEERS, reversed(PEERS), strict=True):
        network = peers[name].train()
        optimizer = sgd(network)
        for first in range(iterations):
            drawn = _drawn(first, batch, unlabeled)
            stored = torch.from_numpy(
                np.stack([np.load(root / labeler / f'{image}.npy', allow_pickle=False) for image in drawn])
            ).to(device)
            inputs = networks.inputs(network, [unlabeled.items[image] for image in drawn])
            label = stored[:, 0].long()
            logits = nn.functional.interpolate(
                network(inputs, mode='tensor'), label.shape[1:], mode='bilinear', align_corners=True
            )
            loss, _ = naive_loss(logits, label, stored[:, 1])
            optimizer.update_params(loss)
    _wait(device)


@torch.no_grad()
def _label_twice(peer: nn.Module, unlabeled: networks.Unlabeled, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pools: list[list[np.ndarray]] = [[] for _ in range(CLASSES)]
    for item in unlabeled.items:
        label, confidence = networks.predicted(peer, item)
        label, confidence = label.ravel()[::EVERY], confidence.ravel()[::EVERY]
        for one, pool in enumerate(pools):
            pool.append(confidence[label == one])
    thresholds = np.array([naive_threshold(np.concatenate(pool), RATIO) for pool in pools], np.float32)
    for image, item in enumerate(unlabeled.items):
        label, confidence = networks.predicted(peer, item)
        label[confidence < thresholds[label]] = 255
        np.save(folder / f'{image}.npy', np.stack([label.astype(np.float32), confidence]))


def _drawn(iteration: int, batch: int, unlabeled: networks.Unlabeled) -> list[int]:
    return [(iteration * batch + slot) % len(unlabeled.items) for slot in range(batch)]


def _wait(device: str) -> None:
    if device == 'cuda':
        torch.cuda.synchronize()


def _bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob('*') if path.is_file())
