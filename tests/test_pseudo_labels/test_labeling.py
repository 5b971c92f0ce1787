import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, MODELS
from toys.segmentation import mutual_dataset, toy_segmentor

from mmdmt.pseudo_labels.labeling import label, weights_digest
from mmdmt.tasks.segmentation.bank import PseudoLabelBank
from mmdmt.tasks.segmentation.recorder import predict

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def peers():
    torch.manual_seed(0)
    # Weights with some contrast, so that every class is predicted somewhere.
    built = {name: MODELS.build(toy_segmentor(mean=mean)) for name, mean in (('left', 127.5), ('right', 60.0))}
    for peer in built.values():
        peer.decode_head.conv_seg.weight.data.normal_(std=3.0)
    return built


@pytest.fixture
def dataset(shapes_folder):
    return DATASETS.build(mutual_dataset(shapes_folder))


def run(peers, dataset, root, **settings):
    settings = {'run': 'r', 'phase': 1, 'label_ratio': 0.5, 'num_workers': 0, **settings}
    label(peers, dataset, dataset.task.labels, root, **settings)
    return {name: PseudoLabelBank(root / name) for name in peers}


def test_every_peer_labels_every_image_with_its_own_argmax_and_max_softmax(peers, dataset, tmp_path):
    banks = run(peers, dataset, tmp_path, label_ratio=1.0)
    for name, peer in peers.items():
        peer.eval()
        for image in range(10):
            data = dataset.labeling_item(image)
            pixels = data['inputs'].float().sub(peer.data_preprocessor.mean).div(64)[None]
            with torch.no_grad():
                logits = peer.decode_head(peer.extract_feat(pixels))
                logits = torch.nn.functional.interpolate(logits, size=pixels.shape[2:], mode='bilinear')
            confidence, expected = logits[0].softmax(0).max(0)
            stored, sure = banks[name].read(image)
            assert np.array_equal(stored, expected.numpy())
            assert np.abs(sure - confidence.numpy()).max() < 1e-3


def test_the_asked_share_of_each_class_is_kept(peers, dataset, tmp_path):
    for bank in run(peers, dataset, tmp_path, label_ratio=0.3).values():
        labels = np.concatenate([bank.read(image)[0].ravel() for image in range(10)])
        for cls, (total, kept) in enumerate(zip(bank.manifest.totals, bank.manifest.kept, strict=True)):
            assert kept == (labels == cls).sum()
            if total:
                assert 0.3 <= kept / total <= 0.3 + 0.02 + 2 / total


def test_batches_and_workers_change_nothing(peers, dataset, tmp_path):
    one = run(peers, dataset, tmp_path / 'one')
    many = run(peers, dataset, tmp_path / 'many', batch_size=4, num_workers=2)
    for name in peers:
        for image in range(10):
            (a, sure_a), (b, sure_b) = one[name].read(image), many[name].read(image)
            assert (a == b).mean() > 0.99
            np.testing.assert_allclose(sure_a, sure_b, atol=1e-3)


def test_peers_keep_their_mode(peers, dataset, tmp_path):
    peers['left'].train()
    peers['right'].eval()
    before = weights_digest(peers['left'])
    run(peers, dataset, tmp_path)
    assert peers['left'].training
    assert not peers['right'].training
    assert weights_digest(peers['left']) == before


def test_one_forward_pass_for_each_peer_and_image(peers, dataset, tmp_path):
    passes = []
    for name, peer in peers.items():
        peer.backbone.register_forward_hook(lambda _, inputs, __, name=name: passes.extend([name] * len(inputs[0])))
    run(peers, dataset, tmp_path, batch_size=3)
    assert sorted(passes) == ['left'] * 10 + ['right'] * 10


def test_a_complete_bank_of_the_same_weights_is_not_made_again(peers, dataset, tmp_path):
    run(peers, dataset, tmp_path)
    stamp = (tmp_path / 'left' / 'labels-0.bin').stat().st_mtime_ns
    run(peers, dataset, tmp_path)
    assert (tmp_path / 'left' / 'labels-0.bin').stat().st_mtime_ns == stamp


def test_a_bank_of_other_weights_or_without_manifest_is_made_again(peers, dataset, tmp_path):
    run(peers, dataset, tmp_path)
    before = PseudoLabelBank(tmp_path / 'left').manifest.weights
    peers['left'].decode_head.conv_seg.bias.data += 1
    after = run(peers, dataset, tmp_path)['left'].manifest.weights
    assert after != before
    (tmp_path / 'right' / 'manifest.json').unlink()
    assert len(run(peers, dataset, tmp_path)['right']) == 10


def test_images_are_labeled_at_the_size_they_are_given(peers, dataset):
    data = dataset.labeling_item(0)
    data['data_samples'].set_metainfo({'ori_shape': (99, 99)})
    peers['left'].eval()
    with torch.no_grad():
        ((label_map, confidence),) = predict(
            peers['left'], {'inputs': [data['inputs']], 'data_samples': [data['data_samples']]}
        )
    assert label_map.shape == confidence.shape == tuple(data['inputs'].shape[1:])
    assert (label_map.dtype, confidence.dtype) == (np.uint8, np.float32)


@pytest.mark.parametrize('test_cfg', [{}, {'size': (64, 64)}, {'size_divisor': 32}])
def test_labels_are_those_of_the_segmentors_own_prediction(peers, dataset, test_cfg):
    peer = peers['left'].eval()
    peer.data_preprocessor.test_cfg = {**test_cfg, 'pad_val': 0} if test_cfg else None
    items = [dataset.labeling_item(number) for number in (0, 2)]
    data = {key: [item[key] for item in items] for key in ('inputs', 'data_samples')}
    with torch.no_grad():
        labeled = predict(peer, data)
        expected = peer.test_step(data)
    for (label_map, confidence), sample in zip(labeled, expected, strict=True):
        assert np.array_equal(label_map, sample.pred_sem_seg.data[0].numpy())
        assert np.array_equal(confidence, sample.seg_logits.data.softmax(0).amax(0).numpy())


def test_a_segmentor_with_a_prediction_of_its_own_labels_by_it(peers, dataset, monkeypatch):
    peer = peers['left'].eval()
    item = dataset.labeling_item(0)
    kind = type(
        'Own', (type(peer),), {'predict': lambda self, inputs, samples: super(kind, self).predict(inputs * 0, samples)}
    )
    peer.__class__ = kind
    with torch.no_grad():
        ((_, confidence),) = predict(peer, {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]})
        plain = kind.__mro__[1].predict(peer, torch.zeros(1, 3, *confidence.shape), [item['data_samples']])
    np.testing.assert_allclose(confidence, plain[0].seg_logits.data.softmax(0).amax(0).numpy(), rtol=1e-6)
