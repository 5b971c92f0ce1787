"""Every config of the repository: it resolves to the settings that its results are of, and its model builds."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models import EncoderDecoder
from toys.resolved_settings import digest

from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.registry import HOOKS, MODELS

ROOT = Path(__file__).parents[2] / 'configs'
FILES = sorted(ROOT.rglob('*.py'))
LEAVES = [path for path in FILES if '_base_' not in path.parts]
#: SHA-256 of what each leaf resolves to: how it says it may change, what it says may not.
FROZEN = json.loads((Path(__file__).parents[1] / 'data' / 'leaf_hashes.json').read_text())

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def name_of(path):
    return path.relative_to(ROOT).as_posix()


KNOWN_MODELS = {}


def kind_and_peers(model):
    """Build a model, once for all configs that have it; return its class and the names of its peers."""
    key = json.dumps(model.to_dict(), sort_keys=True, default=str)
    if key not in KNOWN_MODELS:
        built = MODELS.build(model)
        KNOWN_MODELS[key] = type(built), getattr(built, 'peer_names', ())
    return KNOWN_MODELS[key]


def test_all_leaves_are_frozen():
    assert {name_of(path) for path in LEAVES} == set(FROZEN)


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_a_config_resolves_to_its_frozen_settings_and_its_parts_fit(path, unset_weights):
    config = Config.fromfile(path)
    assert digest(config.to_dict()) == FROZEN[name_of(path)]
    assert str(ROOT) not in config.pretty_text.replace(str(path), '')  # all that it reads is the user's
    init_default_scope(config.default_scope)
    kind, peer_names = kind_and_peers(config.model)
    assert kind in (DynamicMutualTraining, EncoderDecoder)
    if kind is EncoderDecoder:
        assert config.param_scheduler[0]['end'] == config.train_cfg.max_iters
        assert 'custom_hooks' not in config
        return
    (hook,) = (hook for hook in config.custom_hooks if hook.type == 'mmdmt.DMTHook')
    assert config.train_cfg.type == 'mmdmt.PhaseTrainLoop'
    assert 'max_iters' not in config.train_cfg
    assert {phase.batch_size for phase in HOOKS.build(hook).curriculum.phases} == {config.train_dataloader.batch_size}
    for name in (*config.optim_wrapper.get('peers', {}), *(hook.get('warm_up_lists') or {})):
        assert name in peer_names


def test_names_of_configs_are_unique_and_lower_case():
    names = [path.name for path in LEAVES]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_a_config_computes_nothing_and_a_leaf_is_short(path):
    text = path.read_text()
    assert '__import__' not in text
    assert path not in LEAVES or path.parent.name == 'custom' or len(text.splitlines()) < 40
