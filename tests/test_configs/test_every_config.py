"""Every config of the repository loads, and its model builds."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.models import EncoderDecoder

from mmdmt.engine.phases import Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.registry import MODELS

ROOT = Path(__file__).parents[2] / 'configs'
LEAVES = sorted(path for path in ROOT.rglob('*.py') if '_base_' not in path.parts)

pytestmark = pytest.mark.usefixtures('mmseg_scope')

each_leaf = pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)


def is_segmentation(config):
    return config.default_scope == 'mmseg'


@pytest.fixture
def unset_weights(monkeypatch):
    """Large layers are left with whatever is in memory, which no one touches: building costs next to nothing."""
    for layer in (torch.nn.modules.conv._ConvNd, torch.nn.Linear):
        monkeypatch.setattr(layer, 'reset_parameters', lambda self: None)


@each_leaf
def test_a_config_loads_and_its_parts_fit(path, unset_weights):
    config = Config.fromfile(path)
    if not is_segmentation(config):
        pytest.skip('classification has its own tests')
    model = MODELS.build(config.model)
    assert isinstance(model, DynamicMutualTraining | EncoderDecoder)
    total = config.train_cfg.max_iters
    if isinstance(model, EncoderDecoder):
        assert config.param_scheduler[0]['end'] == total
        assert 'custom_hooks' not in config
        return
    (hook,) = config.custom_hooks
    curriculum = Curriculum.from_configs(hook.phases)
    assert curriculum.total_iters == total
    assert {phase.batch_size for phase in curriculum.phases} == {config.train_dataloader.batch_size}
    for name in (*config.optim_wrapper.get('peers', {}), *(hook.phases[0].get('labeled_lists') or {})):
        assert name in model.peer_names


def test_names_of_configs_are_unique_and_say_what_is_used():
    names = [path.name for path in LEAVES]
    assert len(set(names)) == len(names)
    for name in names:
        assert name == name.lower()


@pytest.mark.parametrize(
    'path', [path for path in LEAVES if {'voc12aug', 'cityscapes'} & {*path.stem.replace('-', '_').split('_')}],
    ids=lambda path: path.stem,
)  # fmt: skip
def test_configs_of_data_sets_are_short_and_of_the_users_folder(path, tmp_path, monkeypatch):
    assert len(path.read_text().splitlines()) < 40
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(path)
    dataset = config.train_dataloader.dataset
    if dataset.type != 'mmdmt.MutualDataset':
        return
    for part in ('labeled', 'unlabeled'):
        assert Path(dataset[part].ann_file).is_relative_to(tmp_path / 'splits')
        assert not Path(dataset[part].data_root).is_absolute()
    assert 'seg_map_path' not in dataset.unlabeled.data_prefix


def test_a_transformer_beside_a_convolutional_network_has_its_own_optimizer(unset_weights):
    (path,) = (path for path in LEAVES if 'segformer' in path.stem and 'voc12aug' in path.stem)
    config = Config.fromfile(path)
    optimizers = build_optim_wrapper(MODELS.build(config.model), config.optim_wrapper)
    deeplab, segformer = (optimizers[peer].optimizer for peer in ('deeplab', 'segformer'))
    assert isinstance(deeplab, torch.optim.SGD)
    assert isinstance(segformer, torch.optim.AdamW)
    assert {group['lr'] for group in deeplab.param_groups} == {0.002}
    assert {round(group['lr'], 9) for group in segformer.param_groups} == {6e-5, 6e-4}
    assert {group['weight_decay'] for group in segformer.param_groups} == {0.0, 0.01}
