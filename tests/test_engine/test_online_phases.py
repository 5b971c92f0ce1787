"""Phases whose labels are made in the iteration that learns them."""

import contextlib
import copy
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from toys.classification import image_run_config
from toys.outcomes import differences
from toys.segmentation import mutual_dataset, run_config, toy_segmentor
from toys.stages import CpuAmpOptimWrapper  # noqa: F401 - registered

from mmdmt.engine import PeerOptimWrapperConstructor
from mmdmt.method.confidence_levels import dequantize, quantize_tensor
from mmdmt.method.draws import ONLINE, Draw, DrawPlan, PeerPool
from mmdmt.method.thresholds import count_levels
from mmdmt.models import DynamicMutualTraining
from mmdmt.models.online_labels import OnlineLabeling
from mmdmt.models.segmentors import Segmentors

pytestmark = pytest.mark.whole_run

EMA = {'type': 'EMAHook', 'ema_type': 'MomentumAnnealingEMA', 'momentum': 0.1, 'gamma': 1, 'update_buffers': True}
VIEW = [{'type': 'PhotoMetricDistortion'}]
MIXES = [{'type': 'mmdmt.CutMix', 'prob': 1.0}, {'type': 'mmdmt.ClassMix'}, {'type': 'mmdmt.BlockMask', 'size': 8}]


def phases(labeler='weights', floor=0.0):
    online = {'labeler': labeler, 'min_confidence': floor}
    return [{'iters': 3, 'labeled': 4}, {'iters': 6, 'labeled': 2, 'pseudo': 2, 'online': online}]


def config_of(root, work_dir, labeler='weights', floor=0.0, mixes=(), **settings):
    config = run_config(root, work_dir)
    config.custom_hooks[0].phases = phases(labeler, floor)
    config.custom_hooks[0].rehearsal = False  # it labels online, too, which tests count
    if labeler in ('average', 'ensemble'):
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


@contextlib.contextmanager
def listening(listen):
    """Note, of each learner's unlabeled images in each iteration, what labeled them, and their views and samples."""
    original = OnlineLabeling.label

    def label(self, shares, *rest):
        online = {
            name: [i for i, sample in enumerate(share['data_samples']) if sample.metainfo.get(ONLINE)]
            for name, share in shares.items()
        }
        views = {}
        for name, numbers in online.items():
            weak = [shares[name]['data_samples'][i].get('weak_view') for i in numbers]
            views[name] = [getattr(view, 'data', view) for view in weak]
        original(self, shares, *rest)
        for name, numbers in online.items():
            if numbers:
                listen(self, name, views[name], [shares[name]['data_samples'][i] for i in numbers])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnlineLabeling, 'label', label)
        yield


def probabilities(labeler, view):
    """Predict a crop with a toy, as it is padded in training: float32 (classes, H, W)."""
    training = labeler.training
    labeler.eval()
    with torch.no_grad():
        pixels = view.float().sub(labeler.data_preprocessor.mean).div(64)[None]
        height, width = pixels.shape[2:]
        padded = torch.nn.functional.pad(pixels, (0, 32 - width, 0, 32 - height))
        logits = labeler.decode_head(labeler.extract_feat(padded))
        logits = torch.nn.functional.interpolate(logits, size=(32, 32), mode='bilinear')
    labeler.train(training)
    return logits[0, :, :height, :width].softmax(0)


@pytest.mark.parametrize('labeler', ['weights', 'average', 'ensemble'])
def test_on_the_weak_view_each_peer_predicts_once_for_labels_and_weights(shapes_folder, tmp_path, monkeypatch, labeler):
    config = config_of(shapes_folder, tmp_path, labeler, floor=0.4)
    config.custom_hooks[0].phases[1].online.weigh_by = 'weak'
    config.model.loss = {'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 2.0, 'gamma_disagree': 1.0}
    runner = Runner.from_cfg(config)
    model, crops, sums = runner.model, {'left': [], 'right': []}, []
    forwarded = []
    original = Segmentors.predict_views
    monkeypatch.setattr(
        Segmentors, 'predict_views', lambda self, *given: forwarded.append(given[0]) or original(self, *given)
    )

    def listen(labeling, name, views, samples):
        own = probabilities(labeling.models[name], views[0]), probabilities(labeling.models[name], views[1])
        crops[name].append([view.numpy() for view in views])
        total = 0.0
        for view, sample, p in zip(views, samples, (one.double().numpy() for one in own), strict=True):
            teachers = [model.labelers[name]] if labeler != 'ensemble' else ['left', 'right']
            mean = np.mean([probabilities(labeling.models[one], view).double().numpy() for one in teachers], axis=0)
            label, valid = mean.argmax(0), sample.gt_sem_seg.data[0].numpy() != 255
            assert (sample.gt_sem_seg.data[0].numpy() == label)[valid].mean() > 0.99
            label, sure = sample.gt_sem_seg.data[0].numpy(), sample.pseudo_confidence.data[0].double().numpy()
            np.testing.assert_allclose(sure, mean.max(0), atol=1e-5)
            of_label = np.take_along_axis(p, np.where(valid, label, 0)[None], 0)[0]
            agree = p.argmax(0) == label
            weight = np.where(agree, of_label**2, np.where(p.max(0) > sure, 0, of_label)) * valid * (sure >= 0.4)
            found = sample.pseudo_weight.data[0].numpy()
            close = np.isclose(p.max(0), sure, atol=1e-5) | (np.sort(p, axis=0)[-1] - np.sort(p, axis=0)[-2] < 1e-5)
            np.testing.assert_allclose(found[~close], weight[~close], rtol=1e-3, atol=1e-5)
            total += found.sum()
        sums.append((name, total))

    steps = []
    after = DynamicMutualTraining._agreement
    monkeypatch.setattr(
        DynamicMutualTraining,
        '_agreement',
        lambda self, name: steps.append((name, self.losses_of(name)[0].counts)) or after(self, name),
    )
    with listening(listen):
        runner.train()
    assert len(forwarded) == 6 * 2
    for left, right in zip(crops['left'], crops['right'], strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(left, right, strict=True))
    of_loss = [(name, counts['weight'] - 0) for name, counts in steps if counts]
    assert len(of_loss) == len(sums) == 6 * 2
    for (name, weight), (_, total) in zip(of_loss, sums, strict=True):
        # What is learned besides is ground truth, of weight 1: two images at most.
        assert 0 < weight - total <= 2 * 32 * 32, name
        assert abs((weight - total) - round(float(weight - total))) < 0.01


def test_peers_that_share_crops_see_them_in_colors_of_their_own(dataset):
    pools = tuple(PeerPool(name, range(6), range(10), ONLINE) for name in ('left', 'right'))
    alone = DrawPlan(0, 1, 0, 50, 1, 2, pools)
    plan = replace(alone, same_crops=True)
    left, right = ([draw for draw in plan.batch(7) if draw.peer == name] for name in ('left', 'right'))
    assert left[0] != right[0]._replace(peer='left')  # labeled images are drawn apart
    assert [draw for draw in alone.batch(7) if draw.bank is None] == [left[0], right[0]]
    for one, other in zip(left[1:], right[1:], strict=True):
        assert (one.image, one.seed) == (other.image, other.seed)
        assert one.view != other.view
        first, second = dataset[one], dataset[other]
        assert torch.equal(first['data_samples'].weak_view.data, second['data_samples'].weak_view.data)
        assert not torch.equal(first['inputs'], second['inputs'])


def test_the_order_of_peers_means_nothing(dataset, monkeypatch):
    peer = toy_segmentor(dropout=0.0)
    draws = [Draw(name, image, image, bank) for name in 'ab' for image, bank in ((0, None), (1, ONLINE), (2, ONLINE))]
    models = [DynamicMutualTraining(peers=dict.fromkeys(order, peer)) for order in ('ab', 'ba')]
    taught = []
    monkeypatch.setattr(Segmentors, 'teach', lambda *given, teach=Segmentors.teach: taught.append(teach(*given)))
    models[0].init_weights()
    torch.nn.init.normal_(models[0].b.decode_head.conv_seg.weight)
    models[1].load_state_dict(models[0].state_dict())
    start = copy.deepcopy(models[0].state_dict())
    config = {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.1}}
    for model in models:
        model.train()
        model.train_step(pseudo_collate([dataset[draw] for draw in draws]), PeerOptimWrapperConstructor(config)(model))
    assert len(taught) == 4  # without phases, too
    one, two = (model.state_dict() for model in models)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one['a.decode_head.conv_seg.weight'], start['a.decode_head.conv_seg.weight'])


def resumable(labeler, folder, work_dir, **settings):
    if labeler == 'classifiers':
        return image_config_of(work_dir, **settings)
    config = config_of(folder, work_dir, labeler, floor=0.4, mixes=MIXES if labeler == 'ensemble' else ())
    if labeler == 'ensemble':
        config.custom_hooks[0].phases[1].online.update(weigh_by='weak', label_ratio=0.5, window=3)
    config.merge_from_dict(settings)
    return config


@pytest.mark.parametrize('labeler', ['weights', 'ensemble', 'classifiers'])
def test_a_resumed_online_run_ends_with_the_same_bits(shapes_folder, tmp_path, labeler):
    whole = tmp_path / 'whole'
    Runner.from_cfg(resumable(labeler, shapes_folder, whole)).train()
    expected = torch.load(whole / 'iter_9.pth')
    for iteration in (2, 3, 6):
        resumed = tmp_path / f'resumed_{iteration}'
        resumed.mkdir()
        checkpoint = shutil.copy(whole / f'iter_{iteration}.pth', resumed)
        Runner.from_cfg(resumable(labeler, shapes_folder, resumed, resume=True, load_from=str(checkpoint))).train()
        got = torch.load(resumed / 'iter_9.pth')
        for key in {'state_dict', 'ema_state_dict', 'optimizer'} & set(expected):
            assert not list(differences(expected[key], got[key])), iteration


@pytest.mark.parametrize('window', [1, 3])
def test_the_surest_share_of_each_class_lately_is_learned(shapes_folder, tmp_path, monkeypatch, window):
    config = config_of(shapes_folder, tmp_path)
    config.custom_hooks[0].phases[1].online.update(label_ratio=0.25, window=window)
    runner = Runner.from_cfg(config)
    seen, compared = {'left': [], 'right': []}, 0
    original, rows = Segmentors.teach, []
    wanted = Segmentors.wanted
    monkeypatch.setattr(Segmentors, 'teach', lambda self, *given: rows.append(given[1:3]) or original(self, *given))
    monkeypatch.setattr(Segmentors, 'wanted', lambda self, *given: rows.append(wanted(self, *given)) or rows[-1])

    def listen(labeling, name, views, samples):
        nonlocal compared
        teacher = labeling.models[labeling.labelers[name]]
        before = torch.cat([probabilities(teacher, view).max(0).indices.flatten() for view in views]).numpy()
        of_name, given = rows[-4:-2] if name == 'left' else rows[-2:]
        valid, after, confidence = (row.numpy() for row in (of_name, *given))
        levels = quantize_tensor(torch.from_numpy(confidence))
        seen[name].append(count_levels(torch.from_numpy(np.where(valid, before, 255)), levels, 3).numpy())
        faded = sum(counts * (1 - 1 / window) ** age for age, counts in enumerate(reversed(seen[name])))
        for number in np.unique(before[valid]):
            own = faded[number]
            share = int(own.sum() * 0.25)
            rank = own.sum() if share < 1 else share + 1
            level = max(level for level in range(len(own)) if own[level:].sum() >= rank - 1e-9)
            least = dequantize(np.array([[level]], np.uint16))[0, 0]
            kept = valid & (before == number) & (confidence >= least)
            assert ((after == number) != kept).mean() < 0.002  # a probability may be predicted a little otherwise
            compared += share > 0
        assert set(after[~valid]) <= {255}

    with listening(listen):
        runner.train()
    assert compared >= 6 * 2
    assert set(runner.model.online.seen) == (set(seen) if window > 1 else set())


def test_one_senior_labels_for_two_juniors(shapes_folder, tmp_path):
    peers = {name: toy_segmentor() for name in ('senior', 'a', 'b')}
    labelers = dict.fromkeys(peers, 'senior')
    config = run_config(shapes_folder, tmp_path)
    config.model.peers, config.model.labelers = peers, labelers
    Runner.from_cfg(config).train()
    assert {path.parent.name for path in tmp_path.glob('pseudo_labels/*/phase_2/*/manifest.json')} == {'senior'}


@pytest.mark.parametrize('labeler', ['average', 'ensemble'])
def test_online_labels_have_the_runs_precision_and_are_weighed_in_float32(shapes_folder, tmp_path, labeler):
    config = config_of(shapes_folder, tmp_path, labeler, mixes=MIXES)
    config.optim_wrapper.type = 'CpuAmpOptimWrapper'
    config.model.loss.pseudo_weight = 1.0
    if labeler == 'ensemble':
        config.custom_hooks[0].phases[1].online.update(weigh_by='weak', label_ratio=0.5, window=3)
    runner = Runner.from_cfg(config)
    seen, taught = [], set()
    original = Segmentors.predict_views

    def predict(self, peer, views):
        before = copy.deepcopy(peer.state_dict())
        found = original(self, peer, views)
        assert not list(differences(before, peer.state_dict()))
        inside = torch.is_autocast_enabled('cpu'), torch.get_autocast_dtype('cpu'), peer.training
        seen.extend([(*inside, found.dtype)] * len(views))
        return found

    def listen(labeling, name, views, samples):
        for sample in samples:
            taught.update(sample.get(key).data.dtype for key in ('pseudo_confidence', 'pseudo_weight') if key in sample)

    with pytest.MonkeyPatch.context() as patch, listening(listen):
        patch.setattr(Segmentors, 'predict_views', predict)
        runner.train()
    assert set(seen) == {(True, torch.bfloat16, False, torch.float32)}
    assert len(seen) == 6 * 2 * 2
    assert taught == {torch.float32}
    assert not torch.is_autocast_enabled('cpu')
    assert {value.dtype for value in runner.model.state_dict().values()} == {torch.float32, torch.int64}
    assert all(value.isfinite().all() for value in runner.model.state_dict().values())


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


@pytest.mark.parametrize(('labeler', 'weigh_by'), [('weights', 'strong'), ('average', 'strong'), ('ensemble', 'weak')])
def test_classifiers_learn_what_the_labeler_says_of_the_weak_view(tmp_path, labeler, weigh_by):
    config = image_config_of(tmp_path, labeler)
    config.custom_hooks[0].phases[1].online.weigh_by = weigh_by
    runner = Runner.from_cfg(config)
    done = []

    def listen(labeling, name, views, samples):
        loss = runner.model.losses_of(name)[0]
        gamma = 4 * np.exp(-5 * (1 - loss.progress) ** 2)
        for view, sample in zip(views, samples, strict=True):
            assert view.dtype == torch.uint8
            p = {}
            for peer, model in labeling.models.items():
                assert (model in runner.model.bare_peers.values()) == (labeler == 'weights')
                training = model.training
                model.eval()
                pixels = view.float().sub(model.data_preprocessor.mean).div(model.data_preprocessor.std)[None]
                with torch.no_grad():
                    p[peer] = model.head(model.extract_feat(pixels)).softmax(1)[0].double().numpy()
                model.train(training)
            taught = np.mean(list(p.values()), axis=0) if labeler == 'ensemble' else p[labeling.labelers[name]]
            own, label = p[name], taught.argmax()
            assert int(sample.gt_label) == label
            assert float(sample.pseudo_confidence) == pytest.approx(taught.max(), abs=1e-5)
            wins = own.argmax() != label and own.max() > taught.max()
            expected = 0.0 if wins or taught.max() < 0.3 else own[label] ** gamma
            assert weigh_by == 'strong' or float(sample.pseudo_weight) == pytest.approx(expected, abs=1e-5)
            done.append(name)

    with listening(listen):
        runner.train()
    assert done.count('left') == done.count('right') == 6 * 4
    assert runner.model.left.head.loss_module.floor == 0.3
    assert not list(tmp_path.glob('pseudo_labels/**/*'))


def test_classifiers_take_no_share_of_a_batch(tmp_path):
    config = image_config_of(tmp_path)
    config.custom_hooks[0].phases[1].online.label_ratio = 0.5
    with pytest.raises(ValueError, match=r'online.label_ratio for labels of images is 0.5'):
        Runner.from_cfg(config).train()


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'custom_hooks.0.phases.1.online.labeler': 'average'}, "EMAHooks is 0 in .*labeler='average'"),
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
            'holds RandomFlip, which is not known to change colors alone',
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


def test_crops_show_the_rare_classes_that_they_were_drawn_for(shapes_folder, tmp_path, mmseg_scope):
    settings = {'custom_hooks.0.rare_classes': {'temperature': 0.1, 'min_pixels': 60}}
    runner = train(shapes_folder, tmp_path, **settings)
    dataset = runner.train_dataloader.dataset
    truth = [dataset.labeled[n]['data_samples'].metainfo['seg_map_path'] for n in range(6)]
    assert len(set(truth)) == 6
    plan = runner.train_dataloader.batch_sampler._plan
    draws = [draw for draw in plan.batch(4) if draw.bank is None]
    assert {draw.wanted[1] for draw in draws} == {30}
    for draw in draws:
        label = dataset[draw]['data_samples'].gt_sem_seg.data
        assert (label == draw.wanted[0]).sum() > 30
