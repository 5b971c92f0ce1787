"""Whole runs of classification: the same hook, curriculum and promises as in segmentation."""

import shutil

import numpy as np
import pytest
import torch
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from toys.checkpoints import take_back
from toys.classification import image_run_config
from toys.told import scalars_of

from mmdmt.labels.images.bank import ScoreBank
from mmdmt.labels.labeling import weights_digest
from mmdmt.losses import DynamicMutualLoss

pytestmark = pytest.mark.whole_run


class AveragesSeen(Hook):
    """Notes the averaged weights as they are when DMTHook changes the phase."""

    priority = 60  # after EMAHook, before DMTHook

    def __init__(self):
        self.digests = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        (hook,) = (hook for hook in runner.hooks if isinstance(hook, EMAHook))
        for name, peer in hook.ema_model.module.peers.items():
            self.digests[batch_idx + 1, name] = weights_digest(peer)


def train(work_dir, *hooks, **settings):
    runner = Runner.from_cfg(image_run_config(work_dir, **settings))
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


@pytest.fixture(scope='module')
def averages():
    return AveragesSeen()


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory, averages):
    work_dir = tmp_path_factory.mktemp('uninterrupted')
    return work_dir, train(work_dir, averages, **{'custom_hooks.0.keep_banks': 0})


def banks_of(work_dir, phase):
    (root,) = (work_dir / 'pseudo_labels').iterdir()
    return {name: ScoreBank(root / f'phase_{phase}' / name) for name in ('left', 'right')}


def test_the_averaged_weights_of_the_phase_before_label(uninterrupted, averages):
    work_dir, _ = uninterrupted
    for phase, iteration in ((1, 3), (2, 6)):
        for name, bank in banks_of(work_dir, phase).items():
            assert bank.manifest.weights == averages.digests[iteration, name]


def test_the_most_confident_share_is_drawn_and_nothing_else(uninterrupted):
    work_dir, runner = uninterrupted
    for phase, ratio in ((1, 0.5), (2, 1.0)):
        for bank in banks_of(work_dir, phase).values():
            assert len(bank.selected) == int(len(bank) * ratio) == sum(bank.manifest.kept)
            np.testing.assert_allclose(bank.scores.sum(axis=1), 1, rtol=1e-5)
    plan = runner.train_dataloader.batch_sampler._plan
    drawn = {draw.image for n in range(6, 9) for draw in plan.batch(n) if draw.bank}
    assert drawn <= set(plan.pools[0].unlabeled)


def test_every_phase_starts_from_scratch_with_other_numbers(uninterrupted):
    work_dir, _ = uninterrupted
    starts = [torch.load(work_dir / f'iter_{n}.pth') for n in (3, 6)]
    key = 'left.backbone.conv1.weight'
    weights = [start['state_dict'][key] for start in starts]
    assert not weights[0].equal(weights[1])
    for start in starts:
        assert start['ema_state_dict'][f'module.{key}'].equal(start['state_dict'][key])  # the averages start, too
        assert start['ema_state_dict']['steps'] == 0
        norm = start['state_dict']['left.backbone.bn1.running_mean']
        assert norm.eq(0).all()


def test_peers_and_ensemble_are_measured_and_their_learning_logged(uninterrupted):
    work_dir, runner = uninterrupted
    assert runner.model.left.head.loss_module.progress == 1  # exponents grow within every phase
    validations = scalars_of(work_dir, 'ensemble/top1')
    assert [entry['step'] for entry in validations] == [3, 6, 9]
    assert {'left/top1', 'right/top1'} <= set(validations[0])
    trained = scalars_of(work_dir, 'left.loss_dmt')
    assert len(trained) == 9
    for number, entry in enumerate(trained):
        for peer in ('left', 'right'):
            assert f'{peer}.loss_dmt' in entry
            assert entry[f'{peer}.accuracy'] in [12.5 * right for right in range(9)]
            for name in ('mean_weight', 'disagreement', 'learner_wins'):
                assert (f'{peer}.{name}' in entry) == (number >= 3)


def test_a_labeling_tells_how_right_the_selected_images_are(uninterrupted):
    work_dir, runner = uninterrupted
    dataset = runner.train_dataloader.dataset
    truth = np.array([dataset.truth(image)[0] for image in range(dataset.num_unlabeled())])
    labelings = scalars_of(work_dir, 'pseudo/phase')
    assert [entry['step'] for entry in labelings] == [3, 6]
    for entry, ratio in zip(labelings, (0.5, 1.0), strict=True):
        for name, bank in banks_of(work_dir, entry['pseudo/phase']).items():
            labels = np.array([bank.read(image)[0] for image in bank.selected])
            assert entry[f'pseudo/{name}/coverage'] == 100 * int(ratio * len(truth)) / len(truth)
            assert entry[f'pseudo/{name}/precision'] == pytest.approx(100 * (labels == truth[bank.selected]).mean())
            for cls, of_class in enumerate(dataset.metainfo['classes']):
                told_of_class = entry.get(f'pseudo/{name}/precision/{of_class}')
                if (labels == cls).any():
                    assert told_of_class == pytest.approx(100 * (truth[bank.selected][labels == cls] == cls).mean())
                else:
                    assert told_of_class is None


@pytest.mark.parametrize(('iteration', 'workers'), [(2, 0), (3, 1), (5, 0), (6, 0)])
def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(uninterrupted, tmp_path, iteration, workers):
    work_dir, _ = uninterrupted
    take_back(work_dir, iteration, tmp_path)
    shutil.copytree(work_dir / 'pseudo_labels', tmp_path / 'pseudo_labels')
    train(tmp_path, resume=True, **{'train_dataloader.num_workers': workers})
    one, two = (torch.load(folder / 'iter_9.pth') for folder in (work_dir, tmp_path))
    for part in ('state_dict', 'ema_state_dict'):
        assert one[part].keys() == two[part].keys()
        assert all(value.equal(two[part][key]) for key, value in one[part].items())
    for name in ('left', 'right'):
        states = [checkpoint['optimizer'][name]['state'] for checkpoint in (one, two)]
        assert all(states[0][key]['momentum_buffer'].equal(states[1][key]['momentum_buffer']) for key in states[0])


def test_a_run_from_scratch_cannot_go_on_without_its_labels(uninterrupted, tmp_path):
    work_dir, _ = uninterrupted
    take_back(work_dir, 3, tmp_path)
    with pytest.raises(FileNotFoundError, match='incomplete'):
        train(tmp_path, resume=True)


def test_a_damaged_bank_is_refused(uninterrupted, tmp_path):
    work_dir, _ = uninterrupted
    (root,) = (work_dir / 'pseudo_labels').iterdir()
    shutil.copytree(root / 'phase_1' / 'left', tmp_path / 'left')
    path = tmp_path / 'left' / 'scores.npy'
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'scores\.npy and selected\.npy are not those of .*manifest\.json'):
        ScoreBank(tmp_path / 'left')
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'lacks scores\.npy'):
        ScoreBank(tmp_path / 'left')


def test_weights_can_be_carried_on(tmp_path):
    runner = train(tmp_path, **{'custom_hooks.0.carry': 'last'})
    before, after = (torch.load(tmp_path / f'iter_{n}.pth')['ema_state_dict'] for n in (3, 4))
    key = 'module.left.backbone.conv1.weight'
    assert 0 < (before[key] - after[key]).abs().max() < 0.2
    assert runner.iter == 9


def test_the_accuracy_is_that_on_labels_that_are_classes():
    loss, label = DynamicMutualLoss(), torch.tensor([0, 1, 1, 0])
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])
    loss(logits, label)
    assert loss.accuracy == 75
    loss(logits, torch.eye(2)[label])
    assert loss.accuracy is None
