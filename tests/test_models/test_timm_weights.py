"""Weights of timm in a backbone of MMPretrain, loaded when a run starts."""

import pytest
import torch
from mmpretrain.models import TIMMBackbone

from mmdmt.models import TimmWeights

timm = pytest.importorskip('timm')
SMALL = {'features_only': True, 'depths': [1] * 4, 'dims': [4, 8, 8, 8], 'out_indices': (0, 1, 2, 3)}


@pytest.fixture
def offered(monkeypatch):
    """What timm is asked for, with weights that it makes up in place of a download."""
    asked, create = [], timm.create_model

    def create_model(model_name, pretrained=False, **settings):
        asked.append((model_name, pretrained))
        if pretrained:
            torch.manual_seed(1)
            settings = {**SMALL, **settings}
        return create(model_name.split('.')[0], pretrained=False, **settings)

    monkeypatch.setattr(timm, 'create_model', create_model)
    return asked


def backbone(**settings):
    initializer = {'type': 'mmdmt.TimmWeights', 'model_name': 'convnext_atto.made_up'}
    return TIMMBackbone('convnext_atto', init_cfg=initializer, **{**SMALL, **settings})


def test_weights_are_asked_for_when_a_run_starts_not_when_it_is_built(offered):
    built = backbone()
    assert [pretrained for _, pretrained in offered] == [False]
    before = {key: value.clone() for key, value in built.timm_model.state_dict().items()}
    built.init_weights()
    assert offered[-1] == ('convnext_atto.made_up', True)
    expected = timm.create_model('convnext_atto.made_up', pretrained=True).state_dict()
    after = built.timm_model.state_dict()
    assert all(torch.equal(after[key], expected[key]) for key in expected)
    assert any(not torch.equal(after[key], before[key]) for key in expected)


def test_weights_of_another_network_are_refused_with_both_names(offered):
    with pytest.raises(ValueError, match=r"'convnext_atto\.made_up' of timm do not fit the TIMMBackbone.*model_name"):
        TimmWeights('convnext_atto.made_up')(backbone(dims=[8, 8, 8, 8]))
