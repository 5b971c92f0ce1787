import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import DefaultScope, init_default_scope
from mmpretrain.structures import DataSample
from toys.classification import LOSS, MIXES, toy_classifier

from mmdmt.models import DynamicMutualLoss, DynamicMutualTraining


@pytest.fixture(autouse=True)
def mmpretrain_scope():
    init_default_scope('mmpretrain')
    yield
    DefaultScope._instance_dict.clear()


def sample_of(peer, label, confidence=None, seed=0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, (3, 16, 16), generator=generator, dtype=torch.uint8)
    sample = DataSample(metainfo={'peer': peer}).set_gt_label(label)
    if confidence is not None:
        sample.set_field(confidence, 'pseudo_confidence')
    return image, sample


def batch_of(*pairs):
    return {'inputs': [image for image, _ in pairs], 'data_samples': [sample for _, sample in pairs]}


def optimizers_of(model, lr=0.1):
    return OptimWrapperDict(
        **{name: OptimWrapper(torch.optim.SGD(peer.parameters(), lr=lr)) for name, peer in model.peers.items()}
    )


def mixed_batch(*peers):
    pairs = []
    for peer in peers:
        pairs += [sample_of(peer, label, seed=label) for label in range(2)]
        pairs += [sample_of(peer, label, confidence=0.5, seed=label) for label in range(2, 6)]
    return batch_of(*pairs)


def test_a_step_trains_every_peer_and_reports_what_its_learner_did():
    model = DynamicMutualTraining(peers={'a': toy_classifier(), 'b': toy_classifier()})
    before = {name: peer.head.fc.weight.clone() for name, peer in model.peers.items()}
    log = model.train_step(mixed_batch('a', 'b'), optimizers_of(model))
    for name, peer in model.peers.items():
        assert not peer.head.fc.weight.equal(before[name])
        assert {f'{name}.loss_dmt', f'{name}.mean_weight', f'{name}.disagreement', f'{name}.learner_wins'} <= set(log)
    torch.testing.assert_close(log['loss'], log['a.loss_dmt'] + log['b.loss_dmt'])


def test_weights_are_of_the_unmixed_images_and_leave_the_statistics_alone(monkeypatch):
    model = DynamicMutualTraining(peers={'a': toy_classifier()}, loss=LOSS, mixes=MIXES)
    seen = []
    monkeypatch.setattr(model.a, 'forward', spy(model.a.forward, model.a, seen))
    data = mixed_batch('a')
    model.train_step(data, optimizers_of(model))
    (unmixed, mode, statistics, _), (mixed, learning, before, after) = seen
    assert (mode, learning) == ('tensor', 'loss')
    torch.testing.assert_close(unmixed, (torch.stack(data['inputs']).float() - 80) / 80)
    assert not mixed.equal(unmixed)
    assert statistics.equal(before)  # the pass that weighs has changed nothing
    assert not before.equal(after)  # the pass that learns has
    model.mixes, seen[:] = [], []
    assert 'a.mean_weight' in model.train_step(mixed_batch('a'), optimizers_of(model))
    assert [mode for _, mode, _, _ in seen] == ['loss']  # without a mix one pass weighs and learns


def spy(forward, peer, seen):
    def spied(inputs, data_samples=None, mode='tensor'):
        assert peer.training  # both passes use the statistics of the batch
        before = peer.backbone.norm1.running_mean.clone()
        result = forward(inputs, data_samples, mode)
        seen.append((inputs.clone(), mode, before, peer.backbone.norm1.running_mean.clone()))
        return result

    return spied


def test_batch_augments_of_the_classifier_act_on_labeled_batches_alone(monkeypatch):
    peer = toy_classifier(train_cfg={'augments': {'type': 'Mixup', 'alpha': 1.0}})
    model = DynamicMutualTraining(peers={'a': peer})
    calls = []
    augments = model.a.data_preprocessor.batch_augments
    monkeypatch.setattr(
        model.a.data_preprocessor, 'batch_augments', lambda *batch: calls.append(len(batch[0])) or augments(*batch)
    )
    labeled = batch_of(*(sample_of('a', label, seed=label) for label in range(4)))
    log = model.train_step(labeled, optimizers_of(model))
    assert calls == [4]
    assert 'a.mean_weight' not in log
    model.train_step(mixed_batch('a'), optimizers_of(model))
    assert calls == [4]


def test_prediction_gives_every_peer_and_the_mean_softmax():
    model = DynamicMutualTraining(peers={'a': toy_classifier(), 'b': toy_classifier()}).eval()
    (result,) = model.test_step(batch_of(sample_of('a', 1)))
    alone = [peer.test_step(batch_of(sample_of('a', 1)))[0].pred_score for peer in model.peers.values()]
    torch.testing.assert_close(result.pred_score, torch.stack(alone).mean(0))
    assert result.peers.a.pred_score.equal(alone[0])
    assert result.pred_label.equal(result.pred_score.argmax(keepdim=True))


MULTI = {'type': 'MultiLabelLinearClsHead', 'num_classes': 3, 'in_channels': 8}
SMOOTH = {'type': 'LabelSmoothLoss', 'label_smooth_val': 0.1}
SMOOTHED = {'type': 'LinearClsHead', 'num_classes': 10, 'in_channels': 8, 'loss': SMOOTH}


@pytest.mark.parametrize(
    ('peers', 'loss', 'words'),
    [
        ({'a': toy_classifier(head=MULTI)}, None, 'ClsHead'),
        ({'a': toy_classifier(head=SMOOTHED)}, None, r'head \(LinearClsHead\) of peer .a. computes LabelSmoothLoss'),
        ({'a': toy_classifier()}, {'type': 'CrossEntropyLoss'}, "makes a CrossEntropyLoss: give type='mmdmt.Dynamic"),
        ({'a': toy_classifier()}, {**LOSS, 'class_weight': [1.0, 2.0]}, "of peer 'a' has 2 entries, but 10 classes"),
        ({'a': toy_classifier(), 'b': toy_classifier(classes=3)}, None, "is 10 in peer 'a', but 3 in peer 'b'"),
    ],
)
def test_what_cannot_be_weighed_is_refused(peers, loss, words):
    with pytest.raises(ValueError, match=words):
        DynamicMutualTraining(peers=peers, loss=loss)


def test_a_step_of_mixed_images_is_that_of_the_loss_on_mixed_scores(monkeypatch):
    model = DynamicMutualTraining(peers={'a': toy_classifier()}, loss=LOSS, mixes=MIXES)
    loss, data = model.a.head.loss_module, mixed_batch('a')
    calls = []
    spied = lambda logits, scores, **_: calls.append((scores, loss._weights)) or logits.sum()  # noqa: E731
    monkeypatch.setattr(loss, 'forward', spied)
    np.random.seed(0)
    torch.manual_seed(0)
    log = model.train_step(data, optimizers_of(model))
    np.random.seed(0)
    torch.manual_seed(0)
    share = np.random.beta(0.75, 0.75)
    share, partners = max(share, 1 - share), torch.randperm(6)
    own = torch.eye(10)[:6]
    ((scores, weights),) = calls
    torch.testing.assert_close(scores, (share * own + (1 - share) * own[partners]))
    assert weights.min() < 1
    assert 0 <= log['a.accuracy'] <= 100
    assert isinstance(loss, DynamicMutualLoss)
    assert loss.ignore_index == -100
