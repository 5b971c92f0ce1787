"""Labeling and the bank: time against the bare network, bytes on disk, time to read."""

import tempfile
from functools import lru_cache, partial
from itertools import count
from pathlib import Path

import cv2
import networks
import numpy as np
import torch
from measure import Rows, interleaved, ratios
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from naive import naive_labeling
from torch import nn

from mmdmt.labels.labeling import label
from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.labels.pixels.labels import PixelLabels
from mmdmt.labels.pixels.recorder import most_probable
from mmdmt.method.confidence_levels import quantize
from mmdmt.models.prediction import forward

VOC_SIZE = (375, 500)
CITYSCAPES_SIZE = (1024, 2048)
UNET_SIZE = (376, 500)  # as large, but divisible by what the U-Net divides by
RATIO = 0.5
_runs = count()


def label_anew(peers: dict[str, nn.Module], images: networks.Unlabeled, root: Path) -> None:
    """Label as at a phase's start; every call is another run, so nothing is there already."""
    label(peers, images, PixelLabels(), forward, root, run=str(next(_runs)), phase=1, label_ratio=RATIO, num_workers=0)


def labeling_time(repeats: int, size: tuple[int, int] = VOC_SIZE, images: int = 4, width: int = 64) -> Rows:
    """Time labeling by two peers, its naive form, and nothing but the forward passes of both; three rounds at most."""
    peers = {name: networks.build(networks.resnet18(width)).eval() for name in ('left', 'right')}
    unlabeled = networks.Unlabeled(networks.noise_images(images, *size), classes=21)
    inputs = [networks.inputs(peers['left'], [item]) for item in unlabeled.items]

    @torch.no_grad()
    def forward() -> None:
        for peer in peers.values():
            for each in inputs:
                peer(each, mode='tensor')

    with tempfile.TemporaryDirectory() as folder:
        functions = {
            'ours': partial(label_anew, peers, unlabeled, Path(folder) / 'bank'),
            'naive': partial(naive_labeling, peers, unlabeled, Path(folder) / 'naive', RATIO),
            'forward': forward,
        }
        times = interleaved(functions, min(repeats, 3))
    return {
        'labeling_vs_naive': ratios(times, 'naive', 'ours'),
        'labeling_vs_forward': ratios(times, 'ours', 'forward'),
    }


def bank_size(repeats: int, iterations: int = 150, size: int = 192, images: int = 20) -> Rows:
    """Weigh the bank that a trained network makes, all its files included."""
    peer, unlabeled = trained_unet(iterations), networks.Unlabeled(networks.scenes(images, size), classes=6)
    with tempfile.TemporaryDirectory() as folder:
        label_anew({'unet': peer}, unlabeled, Path(folder))
        written = sum(path.stat().st_size for path in (Path(folder) / 'unet').iterdir())
    return {'bank_bytes_per_pixel': [written / (images * size**2)]}


def bank_time(
    repeats: int, iterations: int = 150, size: tuple[int, int] = UNET_SIZE, width: int = 64, calls: int = 20
) -> Rows:
    """Time the codec against a forward pass of the same size, and reading against that of an ordinary mask."""
    peer = trained_unet(iterations)
    (item,) = networks.scenes(1, max(size))
    height, width_of_image = size
    classes, confidence = (plane[:height, :width_of_image].copy() for plane in networks.predicted(peer, item))
    resnet = networks.build(networks.resnet18(width)).eval()
    inputs = networks.inputs(resnet, networks.noise_images(1, *size))

    @torch.no_grad()
    def forward() -> None:
        resnet(inputs, mode='tensor')

    with tempfile.TemporaryDirectory() as folder:
        root, mask = Path(folder), str(Path(folder) / 'mask.png')
        label_anew({'unet': peer}, networks.Unlabeled([_cropped(item, size)], classes=6), root)
        bank = PseudoLabelBank(root / 'unet')
        cv2.imwrite(mask, classes)
        levels = quantize(confidence)
        codec = interleaved({'codec': lambda: decode(encode(classes, levels)), 'forward': forward}, repeats)
        read = interleaved(
            {
                'bank': lambda: [bank.read(0) for _ in range(calls)],
                'png': lambda: [cv2.imread(mask, cv2.IMREAD_UNCHANGED) for _ in range(calls)],
            },
            repeats,
        )
    return {
        'bank_codec_vs_forward': ratios(codec, 'codec', 'forward'),
        'bank_read_vs_mask_png': ratios(read, 'bank', 'png'),
        'codec_bytes_per_pixel': [len(encode(classes, levels)) / classes.size],
    }


def smooth_maps(height: int, width: int, classes: int = 21, stride: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (uint8) and levels (uint16) of random logits, interpolated from a grid as a segmentor's are."""
    generator = torch.Generator().manual_seed(0)
    grid = torch.randn((1, classes, height // stride + 1, width // stride + 1), generator=generator)
    for _ in range(8):
        grid = nn.functional.avg_pool2d(grid, 3, stride=1, padding=1, count_include_pad=False)
    logits = nn.functional.interpolate(grid * (6 / grid.std()), (height, width), mode='bilinear', align_corners=True)
    labels, levels = most_probable(logits)
    return labels[0].numpy(), levels[0].numpy().view(np.uint16)


@lru_cache(maxsize=1)
def trained_unet(iterations: int, images: int = 40, batch_size: int = 8) -> nn.Module:
    """Train the demo's U-Net on labeled scenes as MMSegmentation does."""
    torch.manual_seed(0)
    config = Config.fromfile(networks.DEMO)
    peer = networks.build(config.model.peers.unet).train()
    optimizer = OptimWrapper(torch.optim.AdamW(peer.parameters(), lr=0.002, weight_decay=0.01))
    items = networks.scenes(images, 48)
    for _ in range(iterations):
        chosen = torch.randint(images, (batch_size,)).tolist()
        batch = [{**items[i], 'data_samples': items[i]['data_samples'].clone()} for i in chosen]
        peer.train_step(pseudo_collate(batch), optimizer)
    return peer.eval()


def _cropped(item: dict, size: tuple[int, int]) -> dict:
    sample = item['data_samples'].new(metainfo={'img_shape': size, 'ori_shape': size})
    return {'inputs': item['inputs'][:, : size[0], : size[1]], 'data_samples': sample}
