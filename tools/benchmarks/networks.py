"""Networks and images to measure with."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmdmt.models.prediction import predict_logits

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / 'configs' / 'digits' / 'dmt_unet-resnet_1xb8_digit-scenes.py'


def resnet18(width: int = 64, classes: int = 21, crop: int = 128) -> dict[str, Any]:
    """Config of a ResNet-18 of output stride 8, with so many channels in its first stage, and an FCNHead."""
    norm = {'type': 'BN'}
    means = {'mean': [127.5] * 3, 'std': [64.0] * 3, 'size': (crop, crop), 'pad_val': 0, 'seg_pad_val': 255}
    shape = {'strides': (1, 2, 1, 1), 'dilations': (1, 1, 2, 4), 'out_indices': (3,)}
    head = {'in_channels': 8 * width, 'in_index': 0, 'channels': 2 * width, 'num_classes': classes, 'norm_cfg': norm}
    head |= {'num_convs': 1, 'concat_input': False, 'dropout_ratio': 0.1, 'align_corners': True}
    head['loss_decode'] = {'type': 'CrossEntropyLoss', 'avg_non_ignore': True}
    channels = {'stem_channels': width, 'base_channels': width, 'norm_cfg': norm}
    return {
        'type': 'EncoderDecoder',
        'data_preprocessor': {'type': 'SegDataPreProcessor', **means},
        'backbone': {'type': 'ResNet', 'depth': 18, **channels, **shape},
        'decode_head': {'type': 'FCNHead', **head},
        'train_cfg': {},
        'test_cfg': {'mode': 'whole'},
    }


def build(config: dict[str, Any]) -> nn.Module:
    """Build a network with weights of its own."""
    init_default_scope('mmseg')
    model = MODELS.build(Config(config))
    model.init_weights()
    return model


def scenes(count: int, size: int) -> list[dict[str, Any]]:
    """Render scenes of handwritten digits, ready for a data preprocessor."""
    init_default_scope('mmseg')
    pipeline = Config.fromfile(DEMO).val_dataloader.dataset.pipeline
    dataset = DATASETS.build(
        dict(type='mmdmt.DigitScenes', split='unlabeled', num_scenes=count, size=size, pipeline=pipeline)
    )
    return [dataset[number] for number in range(count)]


def noise_images(count: int, height: int, width: int) -> list[dict[str, Any]]:
    """Make blurred noise, ready for a data preprocessor."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand((count, 3, height // 16, width // 16), generator=generator) * 255
    images = nn.functional.interpolate(coarse, (height, width), mode='bilinear').to(torch.uint8)
    shape = {'img_shape': (height, width), 'ori_shape': (height, width)}
    return [{'inputs': image, 'data_samples': SegDataSample(metainfo=shape)} for image in images]


def labeled(item: dict[str, Any], label: Tensor, confidence: Tensor | None, peer: str) -> dict[str, Any]:
    """Return an image of a peer with a label, (H, W) int64, and its confidence, if it is a pseudo label."""
    sample = item['data_samples'].new()
    sample.set_metainfo({'peer': peer})
    sample.set_data({'gt_sem_seg': PixelData(data=label[None])})
    if confidence is not None:
        sample.set_data({'pseudo_confidence': PixelData(data=confidence[None])})
    return {'inputs': item['inputs'], 'data_samples': sample}


def inputs(peer: nn.Module, items: Sequence[dict[str, Any]]) -> Tensor:
    """Return images as a network takes them."""
    data = pseudo_collate([{**item, 'data_samples': item['data_samples'].new()} for item in items])
    return peer.data_preprocessor(data, False)['inputs']


def demo(folder: str, phases: list[dict], workers: int, val_interval: int) -> Config:
    """Return the config of the demo with other phases, 40 unlabeled scenes and little to validate on, and quiet."""
    config = Config.fromfile(DEMO)
    config.custom_hooks = [{'type': 'mmdmt.DMTHook', 'phases': phases, 'labeling': {'num_workers': 0}}]
    config.train_cfg.val_interval = val_interval
    config.train_dataloader.update(num_workers=workers, persistent_workers=workers > 0)
    config.train_dataloader.dataset.unlabeled.num_scenes = 40
    config.val_dataloader.update(num_workers=0, persistent_workers=False)
    config.val_dataloader.dataset.num_scenes = config.test_dataloader.dataset.num_scenes = 4
    config.default_hooks.checkpoint.update(interval=val_interval)
    config.log_level, config.work_dir = 'ERROR', folder
    # MMEngine keeps one visualizer and one logger for each name.
    config.experiment_name = config.visualizer.name = f'demo_{time.time_ns()}'
    return config


class Unlabeled:
    """Images in memory, as labeling takes them."""

    def __init__(self, items: Sequence[dict[str, Any]], classes: int) -> None:
        self.items = items
        self.metainfo = {'classes': [str(number) for number in range(classes)]}

    def num_unlabeled(self) -> int:
        """Return the number of images."""
        return len(self.items)

    def names_digest(self) -> str:
        """Return what stands for the images' names."""
        return f'{len(self.items)} images'

    def labeling_item(self, index: int) -> dict[str, Any]:
        """Return an image."""
        return self.items[index]


def predicted(peer: nn.Module, item: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return a network's label (uint8) and confidence (float32) for an image."""
    with torch.no_grad():
        (logits,) = predict_logits(peer.eval(), pseudo_collate([item]))
    confidence, label = logits.softmax(dim=0).max(dim=0)
    return label.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy()
