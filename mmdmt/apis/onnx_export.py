"""Export a peer, or the ensemble of all, as one ONNX file, which needs nothing of PyTorch or the MM packages."""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mmdmt.apis.inference import check_segments, inference_pipeline
from mmdmt.atomic_write import atomic_write
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.prediction import predict_logits

OPSET = 17
#: Heights and widths at which the file is compared with PyTorch; it is traced at the first.
SIZES = ((128, 160), (96, 224), (203, 141))
#: What the last of them becomes where a network, such as a U-Net, takes no odd sizes.
EVEN = (224, 160)
#: Probabilities may differ by so much; what rounds differently in another order of sums is far below it.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class OnnxCheck:
    """How an ONNX file compares with PyTorch, on made-up images of several sizes.

    Args:
        difference: The largest between two probabilities.
        pixels: How many were compared.
        changed: How many have another class of highest probability.
    """

    difference: float
    pixels: int
    changed: int

    def __str__(self) -> str:
        same = 'the same class at all' if not self.changed else f'another class at {self.changed} of'
        return (
            f'Compared with PyTorch on images of {len(SIZES)} sizes: {same} {self.pixels} pixels, probabilities differ '
            f'by {self.difference:.1e} at most.'
        )


class Probabilities(nn.Module):
    """The class probabilities of an image, by one segmentor or as the mean of several.

    Args:
        peers (Sequence[EncoderDecoder]): In evaluation mode; each with its own data preprocessor.

    Raises:
        ValueError: If one predicts in windows, which are cut by the size of the image, or pools over a pyramid.
    """

    def __init__(self, peers: Sequence[Any]) -> None:
        super().__init__()
        self.peers = nn.ModuleList(peers)
        for peer in peers:
            if peer.test_cfg.get('mode', 'whole') != 'whole':
                raise ValueError(
                    f'A peer predicts with test_cfg mode={peer.test_cfg.mode!r}, in windows whose number depends on '
                    "the image, which an ONNX file cannot hold: give the peer test_cfg=dict(mode='whole') and cut "
                    'large images yourself.'
                )
            for name, module in peer.named_modules():
                if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size not in (1, (1, 1)):
                    raise ValueError(
                        f'{name} pools an image into {module.output_size} cells, whose size depends on the image: an '
                        'ONNX file cannot hold that. Export a plain checkpoint instead, or train with a head without '
                        'such pooling (ASPPHead, SegformerHead).'
                    )

    def forward(self, image: Tensor) -> Tensor:
        """Predict (N, classes, H, W) from an image as its loader gives it, float32 (N, channels, H, W), 0 to 255."""
        return torch.stack([self._of(peer, image) for peer in self.peers]).mean(dim=0)

    @staticmethod
    def _of(peer: Any, image: Tensor) -> Tensor:
        settings = peer.data_preprocessor
        height, width = image.shape[2:]
        inputs = image.flip(1) if settings.channel_conversion and image.shape[1] == 3 else image
        if settings._enable_normalize:
            inputs = (inputs - settings.mean) / settings.std
        if settings.test_cfg:
            inputs = _padded(inputs, settings.test_cfg, settings.pad_val)
        size = inputs.shape[2:]
        logits = functional.interpolate(
            peer(inputs, mode='tensor'), size=size, mode='bilinear', align_corners=peer.align_corners
        )
        return logits[:, :, :height, :width].softmax(dim=1)


def export_onnx(model: BaseModel, file: Path) -> OnnxCheck:
    """Write what a model predicts as an ONNX file, and compare it with PyTorch.

    The input ``image`` is float32 (N, channels, H, W) as the image loader gives it, of any size; normalization and
    padding are inside, resizing of the test pipeline is outside. The output ``probabilities`` is float32
    (N, classes, H, W). The metadata name the pipeline, the classes and the palette, as JSON.

    Args:
        model (BaseModel): Of :func:`mmdmt.apis.init_peers`: all peers, for their ensemble, or one of them.
        file (Path): To write; replaced if it is there.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        ValueError: If the model cannot be put into an ONNX file, or the file predicts otherwise.
    """
    check_segments(model, 'An ONNX file')
    onnx, runtime = (_needed(name) for name in ('onnx', 'onnxruntime'))
    peers = list(model.bare_peers.values()) if isinstance(model, DynamicMutualTraining) else [model]
    network = Probabilities(peers).eval()
    try:
        content, check = _exported(network, peers, runtime, by_export=False)
    except ValueError:
        # Sizes that a network computes with int() become constants when it is traced, and not by torch.export.
        _needed('onnxscript')
        print_log('Tracing makes constants of sizes: torch.export is tried, which takes minutes.', logger='current')
        content, check = _exported(network, peers, runtime, by_export=True)
    described = onnx.load_from_string(content)
    facts = {name: list(model.dataset_meta[name]) for name in ('classes', 'palette') if name in model.dataset_meta}
    for key, value in {**facts, 'pipeline': inference_pipeline(model.cfg)}.items():
        described.metadata_props.add(key=key, value=json.dumps(value, default=str))
    content = described.SerializeToString()
    onnx.checker.check_model(content)
    with atomic_write(file) as unfinished:
        unfinished.write_bytes(content)
    return check


def _needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f'{name}, which writes and checks ONNX files, is not installed: run `pip install "mmdmt[onnx]"`.'
        ) from error


def _exported(network: nn.Module, peers: Sequence[Any], runtime: Any, by_export: bool) -> tuple[bytes, OnnxCheck]:
    """Put a network into an ONNX file, and compare it."""
    settings = peers[0].data_preprocessor
    channels = max(int(settings.mean.numel()), 1) if settings._enable_normalize else 3
    content = _traced(network, channels, by_export)
    return content, _compare(runtime.InferenceSession(content, providers=['CPUExecutionProvider']), peers, channels)


def _traced(network: nn.Module, channels: int, by_export: bool) -> bytes:
    sizes, dynamic = {0: 'images', 2: 'height', 3: 'width'}, torch.export.Dim.DYNAMIC
    how: dict[str, Any] = {'dynamic_axes': {'image': sizes, 'probabilities': sizes}, 'opset_version': OPSET}
    if by_export:
        how = {'dynamic_shapes': {'image': {2: dynamic, 3: dynamic}}, 'external_data': False, 'verbose': False}
    given = (torch.from_numpy(_image(0, channels, SIZES[0])),)
    how |= {'input_names': ['image'], 'output_names': ['probabilities'], 'dynamo': by_export}
    try:
        # It warns of every size that is compared; whether one has become a constant, the comparison shows.
        with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad(), _traceable(network):
            warnings.simplefilter('ignore')
            file = Path(folder) / 'traced.onnx'
            torch.onnx.export(network, given, str(file), **how)
            return file.read_bytes()
    except (RuntimeError, AttributeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f'The network cannot be put into an ONNX file ({reason}): export it as a plain checkpoint instead.'
        ) from error


@contextmanager
def _traceable(network: nn.Module) -> Iterator[None]:
    """Make mmseg's ``Upsample`` follow the size of the image, which it computes with int(), a constant when traced."""
    replaced = []
    for module in network.modules():
        if type(module).__name__ == 'Upsample' and module.scale_factor and not module.size:
            settings = {name: getattr(module, name) for name in ('scale_factor', 'mode', 'align_corners')}
            setattr(module, 'forward', partial(functional.interpolate, **settings))  # noqa: B010  of an instance
            replaced.append(module)
    try:
        yield
    finally:
        for module in replaced:
            del module.forward


def _compare(session: Any, peers: Sequence[Any], channels: int) -> OnnxCheck:
    difference, pixels, changed = 0.0, 0, 0
    for number, size in enumerate(SIZES):
        image = _image(number, channels, size)
        try:
            expected = _by_pytorch(peers, image)
        except (AssertionError, RuntimeError):
            image = _image(number, channels, EVEN)
            expected = _by_pytorch(peers, image)
        wrong = ''
        try:
            (found,) = session.run(None, {'image': image})
        except Exception as error:  # whatever the runtime raises
            found, wrong = None, f'fails there ({str(error).splitlines()[0]})'
        if found is not None and found.shape != expected.shape:
            wrong = f'gives an output of shape {found.shape} there'
        elif found is not None:
            difference = max(difference, float(np.abs(found - expected).max()))
            wrong = '' if difference <= TOLERANCE else f'differs from PyTorch by {difference:.2g} there'
        if wrong:
            raise ValueError(
                f'The ONNX file of this network is of no use: given an image of {image.shape[2]}x{image.shape[3]} '
                f'pixels, it {wrong}, as operations of the network do not follow the size of the image. Export a plain '
                'checkpoint instead.'
            )
        pixels += image.shape[2] * image.shape[3]
        changed += int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
    return OnnxCheck(difference, pixels, changed)


def _by_pytorch(peers: Sequence[Any], image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Predict as validation does, with the data preprocessors and the models' own inference."""
    from mmseg.structures import SegDataSample

    meta = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), image.shape[2:])
    data = {'inputs': [torch.from_numpy(image[0])], 'data_samples': [SegDataSample(metainfo=meta)]}
    with torch.no_grad():
        found = [predict_logits(peer, data)[0].float().softmax(dim=0) for peer in peers]
    return np.asarray(torch.stack(found).mean(dim=0).unsqueeze(0).numpy(), np.float32)


def _image(seed: int, channels: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Make up an image of smooth blobs and some noise, as whole numbers of 0 to 255."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(1, channels, 9, 9, generator=generator)
    smooth = functional.interpolate(small, size=size, mode='bicubic', align_corners=False)
    noise = torch.rand(1, channels, *size, generator=generator)
    return np.asarray((255 * (0.8 * smooth + 0.2 * noise)).clamp(0, 255).round().numpy(), np.float32)


def _padded(inputs: Tensor, settings: Any, value: float) -> Tensor:
    """Pad below and on the right, as the data preprocessor does in a test."""
    height, width = inputs.shape[2:]
    if settings.get('size') is not None:
        below, right = _at_least_0(settings['size'][0] - height), _at_least_0(settings['size'][1] - width)
    else:
        below, right = -height % settings.get('size_divisor'), -width % settings.get('size_divisor')
    return functional.pad(inputs, (0, right, 0, below), value=value)


def _at_least_0(number: Any) -> Any:
    """Return a number or 0; while a network is traced, sizes are tensors."""
    return number.clamp(min=0) if isinstance(number, Tensor) else max(number, 0)
