"""No config weighs the labels of strong views away."""

import inspect
from pathlib import Path

from mmengine.config import Config

from mmdmt.config_table import compose, names
from mmdmt.losses import DynamicMutualLoss
from mmdmt.registry import HOOKS, type_name

ROOT = Path(__file__).parents[2] / 'configs'
LEAVES = sorted(path for path in ROOT.rglob('*.py') if '_base_' not in path.parts)
# What shows a learner other colors than its labeler.
STRONG = {'TwoViews', 'ColorJitter', 'RandomGrayscale', 'GaussianBlur'}
FLOOR = 0.95


def dicts(settings):
    """All dicts in settings, at any depth."""
    if isinstance(settings, dict):
        yield settings
    if isinstance(settings, dict | list | tuple):
        for inner in settings.values() if isinstance(settings, dict) else settings:
            yield from dicts(inner)


def phases_of_strong_views(config):
    """The phases that learn pseudo labels made online, or of strong views."""
    hooks = [hook for hook in config.get('custom_hooks', []) if hook.get('type') == 'mmdmt.DMTHook']
    dataset = config.get('train_dataloader', {}).get('dataset', {})
    unlabeled = dataset.get('unlabeled', {})
    steps = unlabeled.get('pipeline') or dataset.get('labeled', {}).get('pipeline', [])
    strong = bool(dataset.get('learner_view')) or any(
        type_name(step) in STRONG for step in dicts(steps) if 'type' in step
    )
    phases = [phase for hook in hooks for phase in HOOKS.build(hook).curriculum.phases if phase.pseudo]
    return [phase for phase in phases if strong or phase.online]


def exponents(model):
    """Both exponents of the loss of all heads, and of every head that has its own."""
    names = ('gamma_agree', 'gamma_disagree')
    defaults = {name: inspect.signature(DynamicMutualLoss).parameters[name].default for name in names}
    own = [part for part in dicts(model['peers']) if 'Mutual' in str(part.get('type')) or names[0] in part]
    return [loss.get(name, defaults[name]) for loss in (model.get('loss', {}), *own) for name in names]


def too_little_is_learned(config):
    phases = phases_of_strong_views(config)
    if not phases:
        return []
    largest = max(exponents(config['model']))
    floors = [phase.floor for phase in phases]
    floors.append(config['model'].get('loss', {}).get('min_confidence', 0))
    found = [f'exponent {largest}'] if largest > 1 else []
    return found + ([f'floor {max(floors)} on top of the rule'] if largest > 0 and max(floors) >= FLOOR else [])


def test_exponents_are_at_most_1_on_strong_views_and_online():
    configs = {path.name: Config.fromfile(path).to_dict() for path in LEAVES}
    configs |= {name: compose(name).to_dict() for name in names() if name.startswith('dmt-recipe')}
    found = {name: too_little_is_learned(config) for name, config in configs.items()}
    assert {name: what for name, what in found.items() if what} == {}
    # The test sees what it is to see.
    seen = {name for name, config in configs.items() if phases_of_strong_views(config)}
    for part in ('dmt-recipe_', 'dmt-kit_segformer', 'fixmatch-like_', 'online_lite0', 'cps-like_'):
        assert any(name.startswith(part) for name in seen), part
