"""Labels that are made in the iteration that learns from them, with models that are tables of probabilities."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.draws import ONLINE
from mmdmt.method.online import OnlineLabels
from mmdmt.method.weights import GROUND_TRUTH
from mmdmt.models.online_labels import OnlineLabeling

NAMES = ('a', 'b', 'c')


class Table(torch.nn.Module):
    """A model that predicts the same for every view."""

    def __init__(self, probability):
        super().__init__()
        self.probability = probability


class Rows:
    """A kind of peers whose labels are rows; a sample keeps what it is taught."""

    def __init__(self):
        self.asked = []

    def predict_views(self, peer, views):
        self.asked.append(peer)
        return peer.probability

    def wanted(self, samples, ignored):
        return torch.cat([sample.place for sample in samples]) != ignored

    def teach(self, samples, label, confidence, weights):
        (samples[0].label, samples[0].confidence, samples[0].weights) = label, confidence, weights


class Sample(SimpleNamespace):
    metainfo = {ONLINE: True}

    def __contains__(self, name):
        return hasattr(self, name)


def tables(seed=0, size=40):
    generator = np.random.default_rng(seed)
    return {name: generator.dirichlet(np.ones(3), size).T.astype(np.float32) for name in NAMES}


def labeled(probabilities, settings, labelers=None, **loss):
    kind = Rows()
    models = {name: Table(torch.from_numpy(one)) for name, one in probabilities.items()}
    losses = {name: DynamicMutualLoss(**loss) for name in NAMES}
    labelers = labelers or {'a': 'b', 'b': 'c', 'c': 'a'}
    labeling = OnlineLabeling(OnlineLabels(**settings), kind, models, labelers, losses, 3)
    size = probabilities['a'].shape[1]
    place = torch.zeros(size, dtype=torch.long)
    place[0] = 255
    samples = {name: Sample(place=place) for name in NAMES}
    labeling.label({name: {'inputs': [None], 'data_samples': [samples[name]]} for name in NAMES})
    return labeling, kind, samples


@pytest.mark.parametrize('weigh_by', ['weak', 'strong'])
@pytest.mark.parametrize('labeler', ['weights', 'ensemble'])
def test_labels_and_weights_are_those_worked_out_by_hand(labeler, weigh_by):
    known = tables()
    settings = {'labeler': labeler, 'weigh_by': weigh_by}
    labeling, kind, samples = labeled(known, settings, gamma_agree=2.0, gamma_disagree=1.0)
    assert len(kind.asked) == 3
    for name, teacher in labeling.labelers.items():
        taught = known[teacher] if labeler == 'weights' else sum(known.values()) / 3
        expected = np.where(np.arange(40) == 0, 255, taught.argmax(0))
        assert samples[name].label.tolist() == expected.tolist()
        np.testing.assert_allclose(samples[name].confidence, taught.max(0), rtol=1e-6)
        if weigh_by == 'strong':
            assert samples[name].weights is None
            continue
        own = known[name]
        of_label = own[taught.argmax(0), np.arange(40)]
        agree, wins = own.argmax(0) == taught.argmax(0), own.max(0) > taught.max(0)
        weights = np.where(agree, of_label**2, np.where(wins, 0, of_label)) * (np.arange(40) > 0)
        np.testing.assert_allclose(samples[name].weights, weights, rtol=1e-5)
        counts = labeling.counts[name]
        assert counts['pseudo_pixels'] == 39
        assert counts['disagree'] == (~agree[1:]).sum()
        assert counts['learner_wins'] == (~agree & wins)[1:].sum()


def test_a_senior_predicts_once_and_a_junior_for_its_weights():
    labelers = dict.fromkeys(NAMES, 'a')
    _, kind, _ = labeled(tables(), {'weigh_by': 'weak'}, labelers)
    assert len(kind.asked) == 3
    _, kind, _ = labeled(tables(), {'weigh_by': 'strong'}, labelers)
    assert len(kind.asked) == 3  # of crops of their own, each of them labeled by the senior
    assert len(set(kind.asked)) == 1


def test_a_flipped_label_keeps_its_new_class_and_weight():
    known = tables()
    _, _, samples = labeled(known, {'weigh_by': 'weak'}, rule='flip', gamma_agree=1.0, gamma_disagree=1.0)
    taught, own = known['b'], known['a']
    wins = (own.argmax(0) != taught.argmax(0)) & (own.max(0) > taught.max(0))
    wins[0] = False
    assert wins.any()
    assert samples['a'].label.numpy()[wins].tolist() == own.argmax(0)[wins].tolist()
    np.testing.assert_allclose(samples['a'].weights.numpy()[wins], 1 - taught.max(0)[wins], rtol=1e-5)


@pytest.mark.parametrize('labeler', ['weights', 'ensemble'])
def test_labeling_waits_for_no_value(labeler):
    settings = OnlineLabels(labeler, label_ratio=0.5, window=3, weigh_by='weak')
    losses = {name: DynamicMutualLoss(pseudo_weight=1.0) for name in NAMES}
    labelers = {'a': 'b', 'b': 'c', 'c': 'a'}
    with FakeTensorMode(allow_non_fake_inputs=True):
        models = {name: Table(torch.rand(3, 40)) for name in NAMES}
        labeling = OnlineLabeling(settings, Rows(), models, labelers, losses, 3)
        for _ in range(2):
            samples = {name: Sample(place=torch.zeros(40, dtype=torch.long)) for name in NAMES}
            labeling.label({name: {'inputs': [None], 'data_samples': [samples[name]]} for name in NAMES})
        sample, logits = samples['a'], torch.randn(1, 3, 40, requires_grad=True)
        confidence = sample.confidence[None].masked_fill(torch.rand(1, 40) < 0.5, GROUND_TRUTH)
        with losses['a'].pseudo_targets(confidence, sample.weights[None]):
            losses['a'](logits, sample.label[None]).backward()
    assert logits.grad.shape == logits.shape
