"""Export a peer, or the ensemble of all, as one ONNX file, which needs nothing of PyTorch or the MM packages."""

import copy
import json
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
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
#: Probabilities may differ by so much; what rounds differently in another order of sums is far below it.
TOLERANCE = 1e-3


class OnnxCheck(NamedTuple):
    """How an ONNX file compares with PyTorch, on made-up images of several sizes."""

    difference: float = 0.0  # the largest between two probabilities
    pixels: int = 0  # that were compared
    changed: int = 0  # of these, with another class of highest probability

    def __str__(self) -> str:
        same = 'the same class at all' if not self.changed else f'another class at {self.changed} of'
        return (
            f'Compared with PyTorch on made-up images: {same} {self.pixels} pixels, probabilities differ by '
            f'{self.difference:.1e} at most.'
        )


class Probabilities(nn.Module):
    """The class probabilities of an image, by one segmentor or as the mean of several, in a form that can be traced."""

    def __init__(self, peers: Sequence[Any]) -> None:
        super().__init__()
        self.peers = nn.ModuleList(copy.deepcopy(peer) for peer in peers).eval()
        for parent in list(self.modules()):
            for name, child in parent.named_children():
                # MMSegmentation's own computes the size with int(), a constant when traced.
                if type(child).__name__ == 'Upsample' and not getattr(child, 'size', None):
                    settings = {key: getattr(child, key) for key in ('scale_factor', 'mode', 'align_corners')}
                    setattr(parent, name, nn.Upsample(**settings))

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
            divisor = settings.test_cfg['size_divisor']
            inputs = functional.pad(inputs, (0, -width % divisor, 0, -height % divisor), value=settings.pad_val)
        size, corners = inputs.shape[2:], peer.align_corners
        logits = functional.interpolate(peer(inputs, mode='tensor'), size=size, mode='bilinear', align_corners=corners)
        return logits[:, :, :height, :width].softmax(dim=1)


def export_onnx(model: BaseModel, file: Path) -> OnnxCheck:
    """Write what a model predicts as an ONNX file, and compare it with PyTorch.

    The input ``image`` is float32 (N, channels, H, W) as the image loader gives it, of any size; normalization and
    padding are inside, resizing of the test pipeline is outside. The output ``probabilities`` is float32
    (N, classes, H, W). The metadata name the pipeline, the classes and the palette, as JSON. The network is traced:
    those that compute sizes in Python, such as transformers and pooling pyramids, are refused by the comparison.

    Args:
        model: Of :func:`mmdmt.apis.init_peers`: all peers, for their ensemble, or one of them.
        file: To write; replaced if it is there.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        ValueError: If the model cannot be put into an ONNX file, or the file predicts otherwise.
    """
    check_segments(model, 'An ONNX file')
    try:
        onnx, runtime = import_module('onnx'), import_module('onnxruntime')
    except ImportError as error:
        raise ImportError(f'{error}, which ONNX files need: run `pip install "mmdmt[onnx]"`.') from error
    peers = list(model.bare_peers.values()) if isinstance(model, DynamicMutualTraining) else [model]
    for peer in peers:
        if peer.test_cfg.get('mode', 'whole') != 'whole':
            raise ValueError(
                f'A peer predicts with test_cfg mode={peer.test_cfg.mode!r}, in windows whose number depends on the '
                "image, which an ONNX file cannot hold: give the peer test_cfg=dict(mode='whole') and cut large images "
                'yourself.'
            )
    settings = peers[0].data_preprocessor
    channels = max(int(settings.mean.numel()), 1) if settings._enable_normalize else 3
    traced = onnx.load_from_string(_traced(peers, channels))
    facts = {name: list(model.dataset_meta[name]) for name in ('classes', 'palette') if name in model.dataset_meta}
    for key, value in {**facts, 'pipeline': inference_pipeline(model.cfg)}.items():
        traced.metadata_props.add(key=key, value=json.dumps(value, default=str))
    content = traced.SerializeToString()
    onnx.checker.check_model(content)
    check = _compare(runtime.InferenceSession(content, providers=['CPUExecutionProvider']), peers, channels)
    with atomic_write(file) as unfinished:
        unfinished.write_bytes(content)
    return check


def _traced(peers: Sequence[Any], channels: int) -> bytes:
    sizes, image = {0: 'images', 2: 'height', 3: 'width'}, torch.from_numpy(_image(0, channels, SIZES[0]))
    how: dict[str, Any] = {'input_names': ['image'], 'output_names': ['probabilities'], 'opset_version': OPSET}
    how['dynamic_axes'] = {'image': sizes, 'probabilities': sizes}
    try:
        # It warns of every size that is compared; whether one has become a constant, the comparison shows.
        with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter('ignore')
            file = Path(folder) / 'traced.onnx'
            torch.onnx.export(Probabilities(peers), (image,), str(file), dynamo=False, **how)
            return file.read_bytes()
    except (RuntimeError, AttributeError, KeyError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f'The network cannot be put into an ONNX file ({reason}): export it as a plain checkpoint instead.'
        ) from error


def _compare(session: Any, peers: Sequence[Any], channels: int) -> OnnxCheck:
    check = OnnxCheck()
    for number, size in enumerate(SIZES):
        image = _image(number, channels, size)
        try:
            expected = _by_pytorch(peers, image)
        except (AssertionError, RuntimeError):
            continue  # a network such as a U-Net takes no odd sizes
        try:
            (found,) = session.run(None, {'image': image})
            difference = float(np.abs(found - expected).max())  # ValueError of another shape
            wrong = f'differs from PyTorch by {difference:.2g}' if difference > TOLERANCE else ''
        except Exception as error:  # whatever the runtime raises
            wrong = f'fails ({str(error).splitlines()[0]})'
        if wrong:
            raise ValueError(
                f'The ONNX file of this network is of no use: given an image of {size[0]}x{size[1]} pixels it {wrong}: '
                'operations of the network do not follow the size of the image. Export a plain checkpoint instead.'
            )
        changed = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
        check = OnnxCheck(max(check.difference, difference), check.pixels + size[0] * size[1], check.changed + changed)
    return check


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
