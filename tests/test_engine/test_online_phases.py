"""Phases whose labels are made in the iteration that learns them."""

import copy
import shutil

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from toys.classification import image_run_config
from toys.outcomes import differences, outcome
from toys.segmentation import mutual_dataset, run_config, toy_segmentor
from toys.stages import CpuAmpOptimWrapper  # noqa: F401 - registered

from mmdmt.engine import PeerOptimWrapperConstructor
from mmdmt.method.draws import ONLINE, Draw
from mmdmt.models import DynamicMutualTraining

pytestmark = pytest.mark.whole_run

EMA = {
    'type': 'EMAHook',
    'ema_type': 'MomentumAnnealingEMA',
    'momentum': 0.1,
    'gamma': 1,
    'update_buffers': True,
}
VIEW = [{'type': 'PhotoMetricDistortion'}]
MIXES = [{'type': 'mmdmt.CutMix', 'prob': 1.0}, {'type': 'mmdmt.ClassMix'}, {'type': 'mmdmt.BlockMask', 'size': 8}]


def phases(labeler='weights', floor=0.0):
    online = {'labeler': labeler, 'min_confidence': floor}
    return [{'iters': 3, 'labeled': 4}, {'iters': 6, 'labeled': 2, 'pseudo': 2, 'online': online}]


def config_of(root, work_dir, labeler='weights', floor=0.0, mixes=(), **settings):
    config = run_config(root, work_dir)
    config.custom_hooks[0].phases = phases(labeler, floor)
    config.custom_hooks[0].rehearsal = False  # it labels online, too, which tests count
    if labeler == 'average':
        config.custom_hooks.append(EMA)
    config.train_dataloader.dataset.learner_view = VIEW
    config.model.mixes = list(mixes)
    config.merge_from_dict(settings)
    return config


def train(*args, **settings):
    runner = Runner.from_cfg(config_of(*args, **settings))
    runner.train()
    return runner


@pytest.fixture
def dataset(shapes_folder, mmseg_scope):
    return DATASETS.build(mutual_dataset(shapes_folder, learner_view=VIEW))


def test_both_views_of_an_image_have_one_geometry(dataset):
    differ = []
    for seed in range(8):
        sample = dataset[Draw('left', 3, seed, ONLINE)]
        weak, strong = sample['data_samples'].weak_view.data, sample['inputs']
        assert weak.dtype == strong.dtype == torch.uint8
        assert weak.shape == strong.shape
        differ.append(not torch.equal(weak, strong))
        of_weak, of_strong = (view.double().mean(dim=0).flatten() for view in (weak, strong))
        assert np.corrcoef(of_weak, of_strong)[0, 1] > 0.7
        assert set(sample['data_samples'].gt_sem_seg.data.unique().tolist()) <= {0, 255}
        assert 'pseudo_confidence' not in sample['data_samples']
    assert any(differ)


def test_of_a_bank_the_view_of_the_labeler_is_not_packed(shapes_folder, tmp_path):
    settings = {'custom_hooks.0.phases': [{'iters': 2, 'labeled': 2, 'pseudo': 2, 'label_ratio': 0.5}]}
    runner = Runner.from_cfg(config_of(shapes_folder, tmp_path, **settings, **{'train_cfg.max_iters': 2}))
    seen = []
    original = runner.model._split
    runner.model._split = lambda data: seen.extend(data['data_samples']) or original(data)
    runner.train()
    assert len(seen) == 16
    assert not any('weak_view' in sample for sample in seen)


def test_labels_are_those_of_the_labeler_on_the_weak_view(shapes_folder, tmp_path):
    runner = Runner.from_cfg(config_of(shapes_folder, tmp_path))
    model = runner.model
    taught = []

    def listen(labeler, views, samples, label=model.kind.label_online):
        before = copy.deepcopy(labeler.state_dict())
        assert not labeler.training
        label(labeler, views, samples)
        assert all(torch.equal(value, before[key]) for key, value in labeler.state_dict().items())
        with torch.no_grad():
            for view, sample in zip(views, samples, strict=True):
                pixels = view.float().sub(labeler.data_preprocessor.mean).div(64)[None]
                height, width = pixels.shape[2:]
                padded = torch.nn.functional.pad(pixels, (0, 32 - width, 0, 32 - height))  # as in training
                logits = labeler.decode_head(labeler.extract_feat(padded))
                logits = torch.nn.functional.interpolate(logits, size=(32, 32), mode='bilinear')
                confidence, expected = logits[0, :, :height, :width].softmax(0).max(0)
                label_map = sample.gt_sem_seg.data[0]
                taught.append((label_map == expected)[label_map != 255].float().mean().item())
                assert (sample.pseudo_confidence.data[0] - confidence).abs().max() < 1e-3

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(model.kind), 'label_online', lambda self, *given: listen(*given[:3]))
        runner.train()
    assert len(taught) == 6 * 2 * 2
    assert min(taught) > 0.99
    assert not list(tmp_path.glob('pseudo_labels/**/*'))


def test_the_order_of_peers_means_nothing(dataset):
    peer = toy_segmentor(dropout=0.0)
    draws = [Draw(name, image, image, bank) for name in 'ab' for image, bank in ((0, None), (1, ONLINE), (2, ONLINE))]
    models = [DynamicMutualTraining(peers=dict.fromkeys(order, peer)) for order in ('ab', 'ba')]
    models[0].init_weights()
    torch.nn.init.normal_(models[0].b.decode_head.conv_seg.weight)
    models[1].load_state_dict(models[0].state_dict())
    start = copy.deepcopy(models[0].state_dict())
    config = {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.1}}
    for model in models:
        model.train()
        model.train_step(pseudo_collate([dataset[draw] for draw in draws]), PeerOptimWrapperConstructor(config)(model))
    one, two = (model.state_dict() for model in models)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one['a.decode_head.conv_seg.weight'], start['a.decode_head.conv_seg.weight'])


@pytest.mark.parametrize(('labeler', 'mixes'), [('weights', ()), ('average', MIXES)], ids=['weights', 'average-mixes'])
def test_a_resumed_online_run_ends_with_the_same_bits(shapes_folder, tmp_path, labeler, mixes):
    whole = tmp_path / 'whole'
    train(shapes_folder, whole, labeler, floor=0.4, mixes=mixes)
    expected = outcome(whole)
    for iteration in (2, 3, 6):
        resumed = tmp_path / f'resumed_{iteration}'
        resumed.mkdir()
        checkpoint = shutil.copy(whole / f'iter_{iteration}.pth', resumed)
        train(shapes_folder, resumed, labeler, floor=0.4, mixes=mixes, resume=True, load_from=str(checkpoint))
        got = outcome(resumed)
        for key in ('state_dict', 'ema_state_dict', 'optimizer'):
            assert not list(differences(expected[key], got[key])), iteration


def test_labels_of_the_average_are_others_than_those_of_the_weights(shapes_folder, tmp_path):
    one = train(shapes_folder, tmp_path / 'weights', custom_hooks=[*run_hooks('weights'), EMA])
    two = train(shapes_folder, tmp_path / 'average', 'average')
    key = 'left.backbone.conv1.weight'
    assert not torch.equal(one.model.state_dict()[key], two.model.state_dict()[key])


def run_hooks(labeler):
    return [{'type': 'mmdmt.DMTHook', 'phases': phases(labeler), 'labeling': {'num_workers': 0}}]


def test_nothing_below_the_floor_is_learned(shapes_folder, tmp_path):
    runner = train(shapes_folder, tmp_path, floor=1.0)
    loss = runner.model.left.decode_head.loss_decode
    assert loss.floor == 1.0
    assert loss.counts['pseudo_pixels'] > 0
    assert loss.counts['weight'] == loss.counts['pixels'] - loss.counts['pseudo_pixels']


def test_the_surest_share_of_each_class_of_a_batch_is_learned(shapes_folder, tmp_path):
    config = config_of(shapes_folder, tmp_path)
    config.custom_hooks[0].phases[1].online.label_ratio = 0.25
    runner = Runner.from_cfg(config)
    peers, compared = runner.model.kind, 0

    def listen(labeler, views, samples, label_ratio, label=peers.label_online):
        nonlocal compared
        everything = [sample.clone() for sample in samples]
        label(labeler, views, everything)
        label(labeler, views, samples, label_ratio)
        before, after = (
            np.concatenate([one.gt_sem_seg.data.flatten() for one in each]) for each in (everything, samples)
        )
        confidence = np.concatenate([one.pseudo_confidence.data.flatten() for one in samples])
        for number in set(before[before != 255]):
            own = np.sort(confidence[before == number])[::-1]
            share = int(len(own) * 0.25)
            least = own[share if share else -1]
            assert np.array_equal(after == number, (before == number) & (confidence >= least))
            compared += share > 0
        assert set(after[before == 255]) <= {255}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(peers), 'label_online', lambda self, *given: listen(*given))
        runner.train()
    assert compared >= 6 * 2
    pseudo_pixels = runner.model.left.decode_head.loss_decode.counts['pseudo_pixels']
    assert 0 < pseudo_pixels < 0.4 * 2 * 32 * 32


def test_one_senior_labels_for_two_juniors(shapes_folder, tmp_path):
    peers = {name: toy_segmentor() for name in ('senior', 'a', 'b')}
    labelers = dict.fromkeys(peers, 'senior')
    config = run_config(shapes_folder, tmp_path)
    config.model.peers, config.model.labelers = peers, labelers
    Runner.from_cfg(config).train()
    assert {path.parent.name for path in tmp_path.glob('pseudo_labels/*/phase_2/*/manifest.json')} == {'senior'}


def test_online_labels_have_the_runs_precision_and_are_weighed_in_float32(shapes_folder, tmp_path):
    settings = {'optim_wrapper.type': 'CpuAmpOptimWrapper', 'model.mixes': MIXES}
    runner = Runner.from_cfg(config_of(shapes_folder, tmp_path, 'average', **settings))
    seen = []

    def listen(labeler, views, samples, label=runner.model.kind.label_online):
        inside = torch.is_autocast_enabled('cpu'), torch.get_autocast_dtype('cpu'), labeler.training
        label(labeler, views, samples)
        seen.extend((*inside, sample.pseudo_confidence.data.dtype) for sample in samples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(runner.model.kind), 'label_online', lambda self, *given: listen(*given[:3]))
        runner.train()
    assert set(seen) == {(True, torch.bfloat16, False, torch.float32)}
    assert len(seen) == 6 * 2 * 2
    assert not torch.is_autocast_enabled('cpu')
    assert {value.dtype for value in runner.model.state_dict().values()} == {torch.float32, torch.int64}


def image_config_of(work_dir, labeler='average', floor=0.3, **settings):
    config = image_run_config(work_dir)
    hook = config.custom_hooks[0]
    hook.phases = [
        {'iters': 3, 'labeled': 8},
        {'iters': 6, 'labeled': 4, 'pseudo': 4, 'online': {'labeler': labeler, 'min_confidence': floor}},
    ]
    hook.carry, hook.rehearsal = 'last', False
    config.train_dataloader.dataset.learner_view = [{'type': 'RandomGrayscale', 'prob': 0.5, 'keep_channels': True}]
    config.merge_from_dict(settings)
    return config


@pytest.mark.parametrize('labeler', ['weights', 'average'])
def test_classifiers_learn_what_the_labeler_says_of_the_weak_view(tmp_path, labeler):
    runner = Runner.from_cfg(image_config_of(tmp_path, labeler))
    peers, taught = runner.model.kind, []

    def listen(model, views, samples, label=peers.label_online):
        assert not model.training
        assert (model in runner.model.bare_peers.values()) == (labeler == 'weights')
        label(model, views, samples)
        with torch.no_grad():
            for view, sample in zip(views, samples, strict=True):
                assert view.dtype == torch.uint8
                pixels = view.float().sub(model.data_preprocessor.mean).div(model.data_preprocessor.std)[None]
                confidence, expected = model.head(model.extract_feat(pixels)).softmax(1).max(1)
                assert sample.gt_label == expected
                taught.append((sample.pseudo_confidence - confidence).abs().item())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(peers), 'label_online', lambda self, *given: listen(*given[:3]))
        runner.train()
    assert len(taught) == 6 * 2 * 4
    assert max(taught) < 1e-5
    assert runner.model.left.head.loss_module.floor == 0.3
    assert not list(tmp_path.glob('pseudo_labels/**/*'))


def test_classifiers_take_no_share_of_a_batch(tmp_path):
    config = image_config_of(tmp_path)
    config.custom_hooks[0].phases[1].online.label_ratio = 0.5
    with pytest.raises(ValueError, match=r'online.label_ratio=0.5 keeps .* but the peers are classifiers'):
        Runner.from_cfg(config).train()


def test_a_resumed_online_run_of_classifiers_ends_with_the_same_bits(tmp_path):
    whole = tmp_path / 'whole'
    Runner.from_cfg(image_config_of(whole)).train()
    expected = torch.load(whole / 'iter_9.pth')
    for iteration in (3, 5):
        resumed = tmp_path / f'resumed_{iteration}'
        resumed.mkdir()
        checkpoint = shutil.copy(whole / f'iter_{iteration}.pth', resumed)
        Runner.from_cfg(image_config_of(resumed, resume=True, load_from=str(checkpoint))).train()
        got = torch.load(resumed / 'iter_9.pth')
        for key in ('state_dict', 'ema_state_dict', 'optimizer'):
            assert not list(differences(expected[key], got[key])), iteration
    start = torch.load(whole / 'iter_3.pth')
    assert list(differences(start['state_dict'], expected['state_dict']))


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'custom_hooks.0.phases.1.online.labeler': 'average'}, "EMAHooks is 0 in .*labeler='average'"),
        ({'custom_hooks.0.phases.1': {'label_ratio': 0.5}}, 'label_ratio=0.5 and online=.* exclude each other'),
        (
            {'model.mixes': MIXES[:1], 'custom_hooks.0.phases.1': {'labeled': 3, 'pseudo': 1}},
            'lacks is 1 in .* where CutMix needs 2',
        ),
        (
            {'model.mixes': MIXES[1:2], 'custom_hooks.0.phases.1': {'labeled': 0, 'pseudo': 4}},
            'lacks is 1 in .* where ClassMix needs 1',
        ),
        ({'model.labelers': {'left': 'right'}}, "but 'left' in labelers"),
        ({'model.labelers': {'left': 'right', 'right': 'middle'}}, "'middle' in labelers of"),
        (
            {'train_dataloader.dataset.learner_view': [{'type': 'RandomFlip', 'prob': 0.5}]},
            'TwoViews holds RandomFlip, which moves pixels',
        ),
        (
            {'train_dataloader.dataset.learner_view': [{'type': 'Resize', 'scale': (16, 16)}]},
            'TwoViews holds Resize, which changes the size',
        ),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_at_the_start(shapes_folder, tmp_path, settings, words):
    config = config_of(shapes_folder, tmp_path)
    for key, value in settings.items():
        if key == 'custom_hooks.0.phases.1':
            config.custom_hooks[0].phases[1].update(value)
        else:
            config.merge_from_dict({key: value})
    with pytest.raises(ValueError, match=words):
        Runner.from_cfg(config).train()


def test_rare_classes_are_counted_once_and_their_crops_show_them(shapes_folder, tmp_path, mmseg_scope):
    settings = {'custom_hooks.0.rare_classes': {'temperature': 0.1, 'min_pixels': 60}}
    runner = train(shapes_folder, tmp_path, **settings)
    counts = np.load(tmp_path / 'class_counts.npz')['counts']
    assert counts.shape == (6, 3)
    dataset = runner.train_dataloader.dataset
    truth = [dataset.labeled[n]['data_samples'].metainfo['seg_map_path'] for n in range(6)]
    assert len(set(truth)) == 6
    plan = runner.train_dataloader.batch_sampler._plan
    draws = [draw for draw in plan.batch(4) if draw.bank is None]
    assert {draw.wanted[1] for draw in draws} == {30}
    for draw in draws:
        label = dataset[draw]['data_samples'].gt_sem_seg.data
        assert (label == draw.wanted[0]).sum() > 30
