"""Predict images with the peers of a run and their ensemble, or with one peer."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmdmt.folders import IMAGE_SUFFIXES, list_images
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.weights import check_sound, fit, plain_names, read_checkpoint, tensors_of
from mmdmt.registry import type_name
from mmdmt.rules.checked_pipeline import CheckedPipeline
from mmdmt.rules.known_transforms import check_undone

T = TypeVar('T')
_READS_SCENES = {'LoadSceneImage': 'LoadImageFromFile'}
_FOR_GROUND_TRUTH = {'LoadAnnotations', 'LoadSceneAnnotations', 'EvaluateAtThisSize'}


def init_peers(config: str | Path | Config, checkpoint: str | Path, device: str = 'cpu', peer: str = '') -> BaseModel:
    """Set up what a run has trained, ready for :func:`predict_images` and for ``mmseg.apis.inference_model``.

    Args:
        config: Of the run, or of a plain segmentor.
        checkpoint: Of the same; it must hold all weights of the model.
        device: Defaults to ``'cpu'``.
        peer: A peer's name, for that segmentor alone, or ``'ensemble'``. Defaults to ``''``, by the config.

    Returns:
        A :class:`mmdmt.DynamicMutualTraining` or a plain segmentor in evaluation mode, with ``cfg`` and
        ``dataset_meta``.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        ValueError: If the checkpoint does not fit, or there is no such peer.
    """
    if not isinstance(config, Config):
        config = read_config(config)
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f'{checkpoint} does not exist: give a checkpoint of the run, such as iter_20000.pth.')
    config = copy.deepcopy(config)
    config.test_pipeline = inference_pipeline(config)
    if 'data_preprocessor' in config:
        config.model.setdefault('data_preprocessor', config.data_preprocessor)  # as MMEngine's runner does
    # Imported here, because exporting a classifier needs no MMSegmentation.
    from mmseg.apis import init_model

    model = init_model(config, None, device)
    model.dataset_meta = _load_weights(model, str(checkpoint)).get('dataset_meta') or _classes_of(config)
    return _choose(model, peer) if peer else model


def check_segments(model: BaseModel, what: str) -> None:
    """Refuse a model, or peers, that classify images, for what needs masks."""
    kind = model.kind.space if isinstance(model, DynamicMutualTraining) else None
    if kind == 'images' or not (kind or hasattr(model, 'decode_head')):
        raise ValueError(f'{what} needs segmentors, but the model of this config classifies images.')


def read_config(config: str | Path) -> Config:
    """Read the config of a run, or refuse a file that does not exist."""
    if not Path(config).is_file():
        raise FileNotFoundError(f'{config} does not exist: give the config of the run.')
    return Config.fromfile(config)


def inference_pipeline(config: Config) -> list[dict[str, Any]]:
    """Return the test pipeline of a config without ground truth; loading and packing alone if it has none.

    Example:
        >>> inference_pipeline(Config(dict(test_pipeline=[dict(type='PackSegInputs'), dict(type='LoadAnnotations')])))
        [{'type': 'PackSegInputs'}]
    """
    dataset = config.get('test_dataloader', {}).get('dataset', {})
    steps = dataset.get('pipeline') or config.get('test_pipeline') or []
    steps = [dict(step) for step in steps if type_name(step) not in _FOR_GROUND_TRUTH]
    for step in steps:
        step['type'] = _READS_SCENES.get(type_name(step), step['type'])
    packing = 'PackInputs' if config.get('default_scope') == 'mmpretrain' else 'PackSegInputs'
    return steps or [{'type': 'LoadImageFromFile'}, {'type': packing}]


def suffixes_of(config: Config) -> tuple[str, ...]:
    """Return how the names of images end that the test pipeline of a config loads, in lower case."""
    loads_arrays = any(type_name(step) == 'LoadNpyImage' for step in inference_pipeline(config))
    return ('.npy',) if loads_arrays else IMAGE_SUFFIXES


def find_images(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> list[Path]:
    """List the images of a folder and the folders in it, sorted, without hidden files; suffixes are in lower case.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
    """
    found, left_out = list_images(folder, suffixes)
    if left_out:
        print_log(f'WARNING: Left out of {folder}: {left_out}.')
    if not found:
        kind = 'holds no image' if folder.is_dir() else 'must be a folder'
        raise FileNotFoundError(f'{folder} {kind}: give a folder of files that end in {", ".join(suffixes)}.')
    return found


def predict_images(
    model: BaseModel, images: str | Path | Iterable[str | Path], num_workers: int = 0
) -> Iterator[BaseDataElement]:
    """Predict images one after the other, each at its own size.

    Args:
        model: Of :func:`init_peers` or ``mmseg.apis.init_model``.
        images: A folder, with the folders in it, or image files.
        num_workers: Processes that load images. Defaults to 0, this one.

    Yields:
        SegDataSample: For each image, in order, on the model's device: ``img_path``, ``pred_sem_seg`` (int64,
        (1, H, W)), ``seg_logits`` (float32, (classes, H, W)) and, of a run's peers, ``peers`` with the prediction of
        each and of the ensemble, ``peers.get(name).pred_sem_seg``.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If a file cannot be read as an image.
    """
    if isinstance(images, str | Path) and not Path(images).is_file():
        paths = find_images(Path(images), suffixes_of(model.cfg))
    else:
        paths = [Path(path) for path in ([images] if isinstance(images, str | Path) else images)]
    yield from sound(predictions(model, paths, num_workers))


def confidence_map(sample: BaseDataElement, temperature: float = 1.0) -> Tensor:
    """Return the probability of the predicted class, (H, W) float32.

    Args:
        sample: With ``pred_sem_seg`` and ``seg_logits``, such as one of :func:`predict_images`.
        temperature: What its logits are divided by, see :func:`mmdmt.apis.calibrate_model`. Defaults to 1.

    Raises:
        ValueError: If a classifier has predicted.
    """
    if 'seg_logits' not in sample:
        raise ValueError('The prediction has no seg_logits: confidence maps are made of those of segmentors.')
    logits: Tensor = sample.seg_logits.data.float()
    if len(logits) == 1:  # here MMSegmentation gives the sigmoid, not its argument, and a threshold of the head's own
        logits = torch.where(sample.pred_sem_seg.data == 1, logits, 1 - logits)
        return logits[0] if temperature == 1 else (logits[0].logit(1e-6) / temperature).sigmoid()
    return (logits / temperature).softmax(dim=0).amax(dim=0)


class ImageFiles(Dataset[dict[str, Any]]):
    """Image files, loaded by a test pipeline; of one that cannot be loaded there is a sentence, ``'failure'``."""

    def __init__(self, paths: Sequence[Path], pipeline: list[dict[str, Any]]) -> None:
        if not any(type_name(step).startswith('Load') for step in pipeline):
            raise ValueError('The test pipeline loads no file: begin it with dict(type="LoadImageFromFile").')
        self.paths = paths
        self.pipeline = CheckedPipeline(Compose(pipeline).transforms, evaluated=True)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        try:
            item: Any = self.pipeline({'img_path': str(self.paths[index])})
        except (AssertionError, OSError, ValueError, cv2.error) as error:
            # Raised in a data worker, it would reach the user inside a traceback of the worker.
            return {'failure': f'{self.paths[index]} cannot be loaded as an image ({error}): mend it or take it away.'}
        item['data_samples'].set_metainfo({'img_path': str(self.paths[index])})
        return item


def load_batches(
    model: BaseModel, images: Dataset[dict[str, Any]], num_workers: int = 0, numbers: Sequence[int] | None = None
) -> Iterator[dict[str, Any] | str]:
    """Load all packed images or some of their numbers; yield a batch of one, or a sentence of a file that fails.

    Raises:
        ValueError: If the pipeline moves images in a way that is not undone, or pads them twice.
    """
    peers = model.bare_peers.values() if isinstance(model, DynamicMutualTraining) else [model]
    pads_again = any(getattr(getattr(peer, 'data_preprocessor', None), 'test_cfg', None) for peer in peers)
    unknown = check_undone('the images', getattr(images, 'pipeline', ()), pads_again)
    if unknown:
        print_log(f'WARNING: {", ".join(unknown)} of the test pipeline may move images: labels move with them.')
    for batch in DataLoader(images, sampler=numbers, num_workers=num_workers, collate_fn=pseudo_collate):
        yield batch['failure'][0] if 'failure' in batch else batch


def sound(items: Iterable[T | str]) -> Iterator[T]:
    """Yield items, and raise the sentence of the first file that fails."""
    for item in items:
        if isinstance(item, str):
            raise ValueError(item)
        yield item


def predictions(model: BaseModel, paths: Sequence[Path], num_workers: int = 0) -> Iterator[BaseDataElement | str]:
    """Predict image files as :func:`predict_images` does; of one that fails yield a sentence, and go on."""
    for batch in load_batches(model, ImageFiles(paths, inference_pipeline(model.cfg)), num_workers):
        if isinstance(batch, str):
            yield batch
            continue
        with torch.no_grad():
            (sample,) = model.test_step(batch)
        yield sample


def _load_weights(model: BaseModel, path: str) -> dict[str, Any]:
    """Load every weight that a model has, and return the meta of the checkpoint."""
    checkpoint = read_checkpoint(path, 'the checkpoint')
    given = plain_names(tensors_of(path, 'the checkpoint', checkpoint), getattr(model, 'peer_names', ()))
    wanted = model.state_dict()
    found = fit(given, wanted)
    found.check(path, 'the checkpoint', False, 'give one that was trained with this config')
    check_sound(found.weights, wanted, path, 'the checkpoint')
    model.load_state_dict(found.weights, strict=False)
    return dict(checkpoint.get('meta', {}))


def _choose(model: BaseModel, peer: str) -> BaseModel:
    if not isinstance(model, DynamicMutualTraining):
        raise ValueError(f'The peer {peer!r} is asked for, but the config is of one {type(model).__name__}: name none.')
    if peer == ENSEMBLE:
        model.predicted_by = ENSEMBLE
        return model
    if peer not in model.peer_names:
        raise ValueError(f'The peers of this config are {", ".join(model.peer_names)} and {ENSEMBLE}, got {peer!r}.')
    chosen = model.bare_peers[peer]
    chosen.cfg, chosen.dataset_meta = model.cfg, model.dataset_meta
    return chosen


def _classes_of(config: Config) -> dict[str, Any]:
    """Return the classes and colors that a config names, for a checkpoint that names none."""
    metainfo = config.get('test_dataloader', {}).get('dataset', {}).get('metainfo')
    if not metainfo:
        raise ValueError('Neither the checkpoint nor test_dataloader.dataset.metainfo of the config names the classes.')
    return dict(metainfo)
