"""ONNX files predict as PyTorch does, at any size."""

import json
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
# What is traced in a second is exported by torch.export in ten or twenty.
slow = pytest.mark.whole_run


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


@pytest.mark.parametrize('padding', [{'size': (160, 160)}, {'size_divisor': 48}], ids=str)
def test_padding_of_a_test_is_in_the_file(tmp_path, padding):
    config = toy_segmentor()
    config['data_preprocessor']['test_cfg'] = padding
    assert export_onnx(built(config), tmp_path / 'one.onnx').difference < 1e-5


def test_the_networks_for_a_cpu_need_no_torch_export_which_takes_minutes(tmp_path, monkeypatch):
    pytest.importorskip('timm')
    model = Config.fromfile(ROOT / 'configs' / '_base_' / 'models' / 'dmt_efficientnet-lite.py').model
    for peer in model.peers.values():
        peer.backbone.init_cfg = None
    exported = onnx_export._exported

    def traced(*given, by_export):
        assert not by_export
        return exported(*given, by_export)

    monkeypatch.setattr(onnx_export, '_exported', traced)
    model = MODELS.build(model).eval()
    model.cfg, model.dataset_meta = Config({'test_pipeline': PIPELINE}), {'classes': list('abcdefghijk')}
    check = export_onnx(model, tmp_path / 'ensemble.onnx')
    assert (check.changed, check.difference < 1e-4) == (0, True)
    assert not any('forward' in vars(module) for module in model.modules())


@slow
def test_a_unet_that_takes_even_sizes_only_has_a_file_of_any_such_size(tmp_path):
    config = Config.fromfile(ROOT / 'configs' / 'digits' / 'dmt_unet-resnet_1xb8_digit-scenes.py').model.peers.unet
    model = built(config)
    model.dataset_meta = {'classes': list('abcdef')}
    check = export_onnx(model, tmp_path / 'one.onnx')
    assert (check.changed, check.difference < 1e-5) == (0, True)
    session = onnxruntime.InferenceSession(tmp_path / 'one.onnx', providers=['CPUExecutionProvider'])
    (found,) = session.run(None, {'image': np.zeros((1, 3, 48, 96), np.float32)})
    assert found.shape == (1, 6, 48, 96)


def test_what_no_file_can_hold_is_refused_and_leaves_none(tmp_path, monkeypatch):
    config = toy_segmentor()
    config['test_cfg'] = Config({'one': {'mode': 'slide', 'crop_size': (32, 32), 'stride': (20, 20)}}).one
    with pytest.raises(ValueError, match="mode='slide', in windows .* give the peer test_cfg"):
        export_onnx(built(config), tmp_path / 'one.onnx')

    # A network that follows one size alone, whichever way it is exported.
    forward, traced = onnx_export.Probabilities.forward, onnx_export._traced
    monkeypatch.setattr(onnx_export, '_traced', lambda *what: traced(*what[:2], by_export=False))

    def cut(self, image):
        return forward(self, image[:, :, :100, :100])

    monkeypatch.setattr(onnx_export.Probabilities, 'forward', cut)
    with pytest.raises(ValueError, match='of no use: given an image of 128x160 pixels, it gives an output of shape'):
        export_onnx(built(toy_segmentor()), tmp_path / 'one.onnx')

    monkeypatch.setattr(onnx_export.Probabilities, 'forward', lambda self, image: forward(self, image + 40))
    with pytest.raises(ValueError, match='differs from PyTorch by 0'):
        export_onnx(built(toy_segmentor()), tmp_path / 'one.onnx')
    assert not list(tmp_path.iterdir())


def test_missing_packages_are_named_with_what_brings_them(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(onnx_export, 'import_module', absent)
    with pytest.raises(ImportError, match=r'onnx, which writes .*pip install "mmdmt\[onnx\]"'):
        export_onnx(built(toy_segmentor()), tmp_path / 'one.onnx')


def network(backbone, head):
    config = toy_segmentor()
    config.pop('auxiliary_head')
    common = {'num_classes': 3, 'align_corners': False, 'dropout_ratio': 0.1, 'channels': 16}
    config['backbone'] = backbone
    config['decode_head'] = {**common, 'norm_cfg': {'type': 'BN'}, 'loss_decode': {'type': 'CrossEntropyLoss'}, **head}
    return config


SEGFORMER = network(
    {
        **{'type': 'MixVisionTransformer', 'embed_dims': 8, 'num_layers': [1] * 4, 'num_heads': [1, 2, 4, 8]},
        **{'patch_sizes': [7, 3, 3, 3], 'sr_ratios': [8, 4, 2, 1], 'mlp_ratio': 2},
    },
    {'type': 'SegformerHead', 'in_channels': [8, 16, 32, 64], 'in_index': [0, 1, 2, 3]},
)
CONVNEXT = {
    **{'type': 'mmpretrain.ConvNeXt', 'arch': {'depths': [1] * 4, 'channels': [8, 16, 24, 32]}},
    **{'out_indices': [0, 1, 2, 3], 'gap_before_final_norm': False},
}
IN_THE_MIDDLE = {'in_channels': 24, 'in_index': 2}
FCN = {'type': 'FCNHead', **IN_THE_MIDDLE, 'num_convs': 1}
# One mean over the whole image, at whatever size, can be in a file.
ASPP = {'type': 'ASPPHead', **IN_THE_MIDDLE, 'dilations': (1, 2)}
PSP = {'type': 'PSPHead', **IN_THE_MIDDLE, 'pool_scales': (1, 2, 3, 6)}
UPER = {'type': 'UPerHead', 'in_channels': [8, 16, 24, 32], 'in_index': [0, 1, 2, 3], 'pool_scales': (1, 2, 3, 6)}


@pytest.mark.parametrize(
    'config',
    [
        pytest.param(SEGFORMER, marks=slow, id='SegFormer'),
        pytest.param(network(CONVNEXT, FCN), id='ConvNeXt'),
        pytest.param(network(CONVNEXT, ASPP), id='ASPP'),
    ],
)
def test_transformers_convnext_and_aspp_have_a_file_of_any_size(tmp_path, config):
    pytest.importorskip('mmpretrain')
    check = export_onnx(built(config), tmp_path / 'one.onnx')
    assert (check.changed, check.pixels) == (0, sum(height * width for height, width in onnx_export.SIZES))
    assert check.difference < 1e-4


@pytest.mark.parametrize('head', [UPER, PSP], ids=lambda head: head['type'])
def test_pyramid_pooling_follows_no_size_in_a_file_and_is_refused(tmp_path, head):
    pytest.importorskip('mmpretrain')
    with pytest.raises(ValueError, match=r'^decode_head\.psp_modules\.1\.0 pools .* into 2 cells.*Export a plain'):
        export_onnx(built(network(CONVNEXT, head)), tmp_path / 'one.onnx')
    assert not list(tmp_path.iterdir())
