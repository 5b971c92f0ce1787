"""Peers taken from MMSegmentation's own installed model configs, two at once, at toy size."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.utils import get_installed_path
from toys.segmentation import run_config

from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.models import DynamicMutualLoss

pytestmark = pytest.mark.whole_run

SMALL_RESNET = {'depth': 50, 'base_channels': 4, 'stem_channels': 4}

# For each of the toolbox's model files what makes it small.
DEEPLABV3PLUS = {
    'backbone': SMALL_RESNET,
    'decode_head': {'in_channels': 128, 'c1_in_channels': 16, 'c1_channels': 4, 'channels': 8},
    'auxiliary_head': {'in_channels': 64, 'channels': 8},
}
OCRNET = {
    'backbone': SMALL_RESNET,
    'decode_head': [{'in_channels': 64, 'channels': 8}, {'in_channels': 128, 'channels': 8, 'ocr_channels': 8}],
}
SEGFORMER = {
    'backbone': {'embed_dims': 8, 'num_heads': [1, 1, 1, 1]},
    'decode_head': {'in_channels': [8, 8, 8, 8], 'channels': 8},
}
ARCH = {'depths': [1, 1, 1, 1], 'channels': [8, 8, 8, 8]}
CONVNEXT = {
    'backbone': {'arch': ARCH, 'drop_path_rate': 0.0, 'init_cfg': None},
    'decode_head': {'in_channels': [8, 8, 8, 8], 'channels': 8},
    'auxiliary_head': {'in_channels': 8, 'channels': 8},
}


def installed(file, smaller, num_classes=3):
    """Build a peer's config from an installed model file."""
    path = f'{get_installed_path("mmseg")}/.mim/configs/_base_/models/{file}'
    model = Config.fromfile(path).model
    model.pop('pretrained', None)
    for head in (model.decode_head, model.get('auxiliary_head')):
        for one in head if isinstance(head, list) else [head]:
            if one is not None:
                one.num_classes = num_classes
    model.data_preprocessor.size = (32, 32)
    config = Config({'model': model})
    for key, changes in smaller.items():
        if isinstance(changes, list):
            for head, change in zip(config.model[key], changes, strict=True):
                head.update(change)
        else:
            config.model[key].update(changes)
    return config.model.to_dict()


@pytest.mark.parametrize(
    ('left', 'right'),
    [
        (('deeplabv3plus_r50-d8.py', DEEPLABV3PLUS), ('segformer_mit-b0.py', SEGFORMER)),
        (('upernet_convnext.py', CONVNEXT), ('ocrnet_r50-d8.py', OCRNET)),
    ],
    ids=['deeplabv3plus-segformer', 'upernet_convnext-ocrnet'],
)
def test_the_toolboxes_models_teach_each_other(shapes_folder, tmp_path, left, right):
    phases = [{'iters': 1, 'labeled': 4}, {'iters': 2, 'labeled': 2, 'pseudo': 2, 'label_ratio': 0.5}]
    settings = {
        'model.peers': {'_delete_': True, 'left': installed(*left), 'right': installed(*right)},
        'custom_hooks.0.phases': phases,
        'train_cfg.max_iters': 3,
        'optim_wrapper.clip_grad': {'max_norm': 1.0},
    }
    runner = Runner.from_cfg(run_config(shapes_folder, tmp_path, **settings))
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    model = runner.model
    for name, peer in model.peers.items():
        (folder,) = tmp_path.glob(f'pseudo_labels/*/phase_1/{name}')
        assert len(PseudoLabelBank(folder)) == 10
        assert sum(isinstance(module, DynamicMutualLoss) for module in peer.modules()) == len(model._losses[name])
    unchanged = [name for name, value in model.named_parameters() if value.equal(before[name])]
    assert len(unchanged) < 0.1 * len(before), unchanged  # zero gradients of dead units aside, all has learned
    assert all(torch.isfinite(value).all() for value in model.parameters())
