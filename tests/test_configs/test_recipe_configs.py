"""Recipes on the scenes of digits and on CamVid: what each config sets, and a shrunken run of those on digits."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from toys.digit_scenes import NARROW_PEERS

from mmdmt.registry import HOOKS

ROOT = Path(__file__).parents[2] / 'configs'
RECIPES = ROOT / '_base_' / 'recipes'
pytestmark = pytest.mark.usefixtures('mmseg_scope')


def load(name):
    return Config.fromfile(ROOT / 'digits' / f'{name}_1xb8_digit-scenes.py')


def hook_of(config, kind):
    return next((hook for hook in config.custom_hooks if hook.type == kind), None)


@pytest.mark.parametrize('path', sorted((ROOT / 'digits').glob('*digit-scenes.py')), ids=lambda path: path.stem)
def test_every_row_is_as_long_as_dmt_and_of_its_peers(path):
    config, dmt = Config.fromfile(path), load('dmt_unet-resnet')
    run = HOOKS.build(hook_of(config, 'mmdmt.DMTHook')).curriculum
    assert run.total_iters == (1000 if path.stem.startswith('supervised_') else 1500)
    assert config.model.peers == {peer: dmt.model.peers[peer] for peer in config.model.peers}
    assert (config.optim_wrapper, config.train_cfg) == (dmt.optim_wrapper, dmt.train_cfg)
    online = run[-1].online_labels
    averaged = online is not None and online.labeler == 'average'
    assert (hook_of(config, 'EMAHook') is not None) == averaged


@pytest.mark.parametrize('path', sorted((ROOT / 'camvid').glob('*camvid-30.py')), ids=lambda path: path.stem)
def test_every_row_of_camvid_trains_as_long_and_on_as_many_labeled_crops_as_dmt(path):
    config, dmt = Config.fromfile(path), Config.fromfile(ROOT / 'camvid' / 'dmt_lite0-lite1_1xb8_camvid-30.py')
    run, whole = (HOOKS.build(one.custom_hooks[0]).curriculum for one in (config, dmt))
    assert run.total_iters == (400 if path.stem.startswith('supervised_') else 1000)
    assert {phase.batch_size for phase in run.phases} == {config.train_dataloader.batch_size}
    assert all(phase.labeled >= whole[1].labeled for phase in run.phases)
    assert config.optim_wrapper == dmt.optim_wrapper
    assert config.model.loss.class_weight == (None if '-plain' in path.stem else dmt.model.loss.class_weight)
    online = [phase.online_labels for phase in run.phases if phase.online]
    wanted = 'supervised-long' in path.stem or any(how.labeler == 'average' for how in online)
    averages = [hook.momentum for hook in config.custom_hooks if hook.type == 'EMAHook']
    assert averages == ([0.01] if wanted else [])


def test_recipes_share_no_key_so_that_a_leaf_can_take_any_of_them():
    keys = [set(Config.fromfile(path)) for path in sorted(RECIPES.glob('*.py'))]
    ours = {'strong_views', 'cutmix', 'class_mix', 'average', 'online'}
    assert ours <= set().union(*keys)
    for path in sorted(RECIPES.glob('*.py')):
        if path.stem in ours:
            assert set(Config.fromfile(path)) == {path.stem}


def shrink(config, work_dir):
    """Keep all that is set, and take narrow networks, few scenes and as few iterations as reach every phase."""
    config.work_dir = str(work_dir)
    hook = hook_of(config, 'mmdmt.DMTHook')
    each = 1 if len(HOOKS.build(hook).curriculum) > 2 else 3
    hook.update({length: each for length in ('warm_up', 'iters') if hook.get(length)})
    total = HOOKS.build(hook).curriculum.total_iters
    if pictures := hook_of(config, 'mmdmt.PictureHook'):
        pictures.images = 1
    config.train_dataloader.dataset.unlabeled.num_scenes = 12
    config.val_dataloader.dataset.num_scenes = config.test_dataloader.dataset.num_scenes = 4
    narrow = {
        f'model.peers.{name}.{key}': value
        for name, peer in config.model.peers.items()
        for key, value in NARROW_PEERS[peer.backbone.type.lower()].items()
    }
    intervals = {'train_cfg.val_interval': total, 'default_hooks.checkpoint.interval': total}
    # MMEngine has one visualizer of a name in a process.
    names = dict.fromkeys(('experiment_name', 'visualizer.name'), f'recipe-{work_dir.parent.name}')
    one_by_one = {'default_hooks.logger.interval': 1, 'env_cfg.dist_cfg.backend': 'gloo'}
    config.merge_from_dict(narrow | intervals | names | one_by_one)
    return config, total


# From printed digits to handwritten ones: in phases with warped scenes, and the recipe.
ADAPTED = ['dmt-warp_resnet_1xb8-2500', 'dmt-kit_resnet_1xb8']
RUNS = [
    *sorted((ROOT / 'digits').glob('*digit-scenes.py')),
    *(ROOT / f'domain_adaptation/{name}_digit-scenes-fonts2handwriting-one-polarity.py' for name in ADAPTED),
]


@pytest.mark.whole_run
@pytest.mark.parametrize('path', RUNS, ids=lambda path: path.stem)
def test_a_recipe_or_an_ablation_runs_whole(path, tmp_path):
    work_dir = tmp_path / 'work'
    config, total = shrink(Config.fromfile(path), work_dir)
    peers = list(config.model.peers)
    last = HOOKS.build(hook_of(config, 'mmdmt.DMTHook')).curriculum[-1]
    runner = Runner.from_cfg(config)
    runner.train()
    scalars = next(work_dir.glob('*/vis_data/scalars.json'))
    entries = [json.loads(line) for line in scalars.read_text().splitlines()]
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == total
    assert all((f'{peer}.mean_weight' in trained[-1]) == last.learns_pseudo_labels for peer in peers)
    assert {'ensemble/mIoU', *(f'{peer}/mIoU' for peer in peers)} <= set(entries[-1])
    # A bank is written where a phase has a label ratio, and only there.
    assert bool(list(work_dir.glob('pseudo_labels/*/*'))) == (last.label_ratio is not None)
