"""ONNX files predict as PyTorch does, at any size."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from toys.segmentation import CLASSES, toy_segmentor

from mmdmt.apis import export_onnx, onnx_export, predict_images

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures('mmseg_scope')
META = {'classes': CLASSES, 'palette': [[0, 0, 0], [255, 0, 0], [0, 255, 0]]}
PIPELINE = [{'type': 'LoadImageFromFile'}, {'type': 'PackSegInputs'}]


def built(config):
    torch.manual_seed(0)
    model = MODELS.build(config).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as different from new ones as trained ones are
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    for peer in getattr(model, 'bare_peers', {'': model}).values():
        # Every class is predicted somewhere.
        image = torch.randn(1, 3, 64, 64)
        with torch.no_grad():
            peer.decode_head.conv_seg.bias -= peer(image, mode='tensor').mean(dim=(0, 2, 3))
    model.cfg, model.dataset_meta = Config({'test_pipeline': PIPELINE}), META
    return model


def peers(**right):
    left = toy_segmentor()
    left['data_preprocessor'].update(bgr_to_rgb=True, test_cfg={'size_divisor': 32})
    right = toy_segmentor(width=6, mean=90.0, align_corners=True, **right)
    return {
        'type': 'mmdmt.DynamicMutualTraining',
        'peers': {'left': left, 'right': right},
        'loss': {'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 5.0, 'gamma_disagree': 5.0},
    }


def test_the_ensemble_in_one_file_predicts_any_size_as_pytorch_does(tmp_path):
    import cv2

    model = built(peers())
    check = export_onnx(model, tmp_path / 'ensemble.onnx')
    assert check.changed == 0
    assert check.pixels == sum(height * width for height, width in onnx_export.SIZES)
    assert check.difference < 1e-5
    assert f'the same class at all {check.pixels} pixels' in str(check)

    session = onnxruntime.InferenceSession(tmp_path / 'ensemble.onnx', providers=['CPUExecutionProvider'])
    generator = np.random.default_rng(0)
    for number, size in enumerate([(40, 44), (97, 61)]):
        image = cv2.resize(generator.integers(0, 256, (6, 6, 3)).astype(np.uint8), size[::-1])
        cv2.imwrite(str(tmp_path / f'{number}.png'), image)
        (sample,) = predict_images(model, tmp_path / f'{number}.png')
        (found,) = session.run(None, {'image': image.transpose(2, 0, 1)[None].astype(np.float32)})
        assert found.shape == (1, 3, *size)
        np.testing.assert_allclose(found[0], sample.seg_logits.data.exp().numpy(), atol=1e-5)
        assert (found[0].argmax(axis=0) == sample.pred_sem_seg.data[0].numpy()).all()
        assert len(np.unique(found[0].argmax(axis=0))) > 1
    right = model.bare_peers['right']
    right.cfg, right.dataset_meta = model.cfg, META
    assert export_onnx(right, tmp_path / 'right.onnx').changed == 0
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts['classes']) == list(CLASSES)
    assert json.loads(facts['pipeline']) == PIPELINE


def test_padding_of_a_test_is_in_the_file(tmp_path):
    config = toy_segmentor()
    config['data_preprocessor']['test_cfg'] = {'size_divisor': 48}
    assert export_onnx(built(config), tmp_path / 'one.onnx').difference < 1e-5


def test_the_networks_for_a_cpu_and_a_unet_that_takes_even_sizes_only_have_a_file(tmp_path):
    pytest.importorskip('timm')
    model = Config.fromfile(ROOT / 'configs' / '_base_' / 'models' / 'dmt_efficientnet-lite.py').model
    for peer in model.peers.values():
        peer.backbone.init_cfg = None
    model = MODELS.build(model).eval()
    model.cfg, model.dataset_meta = Config({'test_pipeline': PIPELINE}), {'classes': list('abcdefghijk')}
    check = export_onnx(model, tmp_path / 'ensemble.onnx')
    assert (check.changed, check.difference < 1e-4) == (0, True)
    config = Config.fromfile(ROOT / 'configs' / 'digits' / 'dmt_unet-resnet_1xb8_digit-scenes.py').model.peers.unet
    model = built(config)
    model.dataset_meta = {'classes': list('abcdef')}
    check = export_onnx(model, tmp_path / 'one.onnx')
    assert (check.changed, check.difference < 1e-5) == (0, True)
    session = onnxruntime.InferenceSession(tmp_path / 'one.onnx', providers=['CPUExecutionProvider'])
    (found,) = session.run(None, {'image': np.zeros((1, 3, 48, 96), np.float32)})
    assert found.shape == (1, 6, 48, 96)


def cut(forward):
    return lambda self, image: forward(self, image[:, :, :100, :100])


def brighten(forward):
    return lambda self, image: forward(self, image + 40)


WINDOWS = Config({'test_cfg': {'mode': 'slide', 'crop_size': (32, 32), 'stride': (20, 20)}})
PYRAMID = {'type': 'PSPHead', 'in_channels': 8, 'in_index': 1, 'pool_scales': (1, 2, 3, 6)}


@pytest.mark.parametrize(
    ('changed', 'forward', 'sentence'),
    [
        ({'test_cfg': WINDOWS.test_cfg}, None, "mode='slide', in windows .* give the peer test_cfg"),
        ({'decode_head': PYRAMID}, None, 'Export a plain checkpoint instead|as a plain checkpoint instead'),
        ({}, cut, 'of no use: given an image of 128x160 pixels it fails'),
        ({}, brighten, 'differs from PyTorch by 0'),
    ],
    ids=['windows', 'a pooling pyramid', 'a network of one size', 'other values'],
)
def test_what_no_file_can_hold_is_refused_and_leaves_none(tmp_path, monkeypatch, changed, forward, sentence):
    config = toy_segmentor()
    if 'decode_head' in changed:
        del config['auxiliary_head']
        kept = {key: value for key, value in config['decode_head'].items() if key not in ('num_convs', 'concat_input')}
        changed = {'decode_head': {**kept, **changed['decode_head']}}
    if forward is not None:
        network = onnx_export.Probabilities
        monkeypatch.setattr(network, 'forward', forward(network.forward))
    with pytest.raises(ValueError, match=sentence):
        export_onnx(built({**config, **changed}), tmp_path / 'one.onnx')
    assert not list(tmp_path.iterdir())


def test_missing_packages_are_named_with_what_brings_them(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ImportError, match=r'onnxruntime.* which ONNX files need: .*pip install "mmdmt\[onnx\]"'):
        export_onnx(built(toy_segmentor()), tmp_path / 'one.onnx')
