"""ACDC and Dark Zurich in the folders as they are published, in small, and small networks for them."""

from pathlib import Path

import numpy as np
from mmengine.config import Config
from PIL import Image

from toys.voc_and_cityscapes import blobs, make_cityscapes, picture

SIZE = (54, 96)  # of 1080x1920
CONDITIONS = ('fog', 'night', 'rain', 'snow')


def make_adverse_conditions(root: Path) -> Path:
    """Cityscapes, and of ACDC one image of each condition and part; of Dark Zurich three to train on. Returns ``root``.

    The test parts have no masks, and the images of Dark Zurich to train on have none either.
    """
    make_cityscapes(root, unlabeled=0)
    generator = np.random.default_rng(3)
    for condition in CONDITIONS:
        for part in ('train', 'val', 'test', 'train_ref'):
            _write(root / 'data/acdc', f'{condition}/{part}/GOPR0475', 41, part in ('train', 'val'), generator)
    for number in range(3):
        _write(root / 'data/dark_zurich', 'train/night/GOPR0351', number, False, generator)
    _write(root / 'data/dark_zurich', 'train/day/GOPR0345', 0, False, generator)
    _write(root / 'data/dark_zurich', 'val/night/GOPR0356', 0, True, generator)
    _write(root / 'data/dark_zurich', 'test/night/GOPR0364', 0, False, generator)
    return root


def _write(root: Path, folder: str, number: int, with_mask: bool, generator: np.random.Generator) -> None:
    name = f'{folder}/{folder.split("/")[-1]}_frame_{number:06d}'
    image = root / 'rgb_anon' / f'{name}_rgb_anon.png'
    image.parent.mkdir(parents=True, exist_ok=True)
    picture(generator, SIZE).save(image)
    if with_mask:
        mask = root / 'gt' / f'{name}_gt_labelTrainIds.png'
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(blobs(generator, SIZE, 19)).save(mask)


def _eighth(*parts: dict) -> None:
    """Divide every size in pixels by eight, at any depth."""
    for part in parts:
        for key, value in part.items():
            if key in ('scale', 'crop_size', 'size', 'top', 'bottom') and value is not None:
                part[key] = tuple(side // 8 for side in value) if isinstance(value, tuple | list) else value // 8
            else:
                inner = value if isinstance(value, list | tuple) else [value]
                _eighth(*(one for one in inner if isinstance(one, dict)))


def small_pair(config: Config, folder: Path) -> Config:
    """Make tiny networks of SegFormer-B2 and ConvNeXt-T, and batches of two images an eighth as wide.

    Returns ``config``.
    """
    _eighth(config.train_dataloader, config.val_dataloader, config.test_dataloader, config.model)
    segformer, convnext = config.model.peers.segformer, config.model.peers.convnext
    segformer.backbone.update(embed_dims=4, num_layers=(1, 1, 1, 1), init_cfg=None)
    segformer.decode_head.update(in_channels=[4, 8, 20, 32], channels=8)
    convnext.backbone.update(arch=dict(depths=[1, 1, 1, 1], channels=[4, 8, 12, 16]), init_cfg=None)
    convnext.decode_head.update(in_channels=[4, 8, 12, 16], channels=8)
    convnext.auxiliary_head.update(in_channels=12, channels=8)
    for head in (segformer.decode_head, convnext.decode_head, convnext.auxiliary_head):
        head.norm_cfg = dict(type='BN')
    config.train_dataloader.update(batch_size=2, num_workers=0)
    for loader in (config.val_dataloader, config.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    config.default_hooks.pop('visualization')
    config.update(work_dir=str(folder / 'work'), experiment_name=folder.name)
    return config
