from functools import partial

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, MODELS
from toys.segmentation import mutual_dataset, toy_segmentor

from mmdmt.labels.labeling import label, weights_digest
from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.labels.pixels.recorder import PixelRecorder
from mmdmt.models.prediction import forward, predict_logits

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
    label(peers, dataset, dataset.labels, forward, root, **settings)
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


def test_batches_and_workers_change_nothing(peers, dataset, tmp_path):
    one = run(peers, dataset, tmp_path / 'one')
    many = run(peers, dataset, tmp_path / 'many', batch_size=4, num_workers=2)
    for name in peers:
        for image in range(10):
            (a, sure_a), (b, sure_b) = one[name].read(image), many[name].read(image)
            assert (a == b).mean() > 0.99
            np.testing.assert_allclose(sure_a, sure_b, atol=1e-3)


def test_one_forward_pass_for_each_peer_and_image_leaves_it_as_it_was(peers, dataset, tmp_path):
    peers['left'].train()
    peers['right'].eval()
    before, passes = weights_digest(peers['left']), []
    for name, peer in peers.items():
        peer.backbone.register_forward_hook(lambda _, inputs, __, name=name: passes.extend([name] * len(inputs[0])))
    run(peers, dataset, tmp_path, batch_size=3)
    assert sorted(passes) == ['left'] * 10 + ['right'] * 10
    assert [peer.training for peer in peers.values()] == [True, False]
    assert weights_digest(peers['left']) == before


def test_a_complete_bank_of_the_same_weights_alone_is_not_made_again(peers, dataset, tmp_path):
    before = run(peers, dataset, tmp_path)['left'].manifest.weights
    stamp = (tmp_path / 'left' / 'labels-0.bin').stat().st_mtime_ns
    run(peers, dataset, tmp_path)
    assert (tmp_path / 'left' / 'labels-0.bin').stat().st_mtime_ns == stamp
    peers['left'].decode_head.conv_seg.bias.data += 1
    assert run(peers, dataset, tmp_path)['left'].manifest.weights != before
    (tmp_path / 'right' / 'manifest.json').unlink()
    assert len(run(peers, dataset, tmp_path)['right']) == 10


def batch_of(*items):
    return {key: [item[key] for item in items] for key in ('inputs', 'data_samples')}


@torch.no_grad()
@pytest.mark.parametrize('test_cfg', [{}, {'size': (64, 64)}, {'size_divisor': 32}])
def test_logits_are_those_of_the_segmentors_own_prediction(peers, dataset, test_cfg):
    peer = peers['left'].eval()
    peer.data_preprocessor.test_cfg = {**test_cfg, 'pad_val': 0} if test_cfg else None
    data = batch_of(dataset.labeling_item(0), dataset.labeling_item(2))
    for logits, sample in zip(predict_logits(peer, data), peer.test_step(data), strict=True):
        assert torch.equal(logits, sample.seg_logits.data)


@torch.no_grad()
def test_a_segmentor_with_a_prediction_of_its_own_labels_by_it(peers, dataset, monkeypatch):
    peer = peers['left'].eval()
    item = dataset.labeling_item(0)
    kind = type(
        'Own', (type(peer),), {'predict': lambda self, inputs, samples: super(kind, self).predict(inputs * 0, samples)}
    )
    peer.__class__ = kind
    (logits,) = predict_logits(peer, batch_of(item))
    plain = kind.__mro__[1].predict(peer, torch.zeros(1, *item['inputs'].shape), [item['data_samples']])
    torch.testing.assert_close(logits, plain[0].seg_logits.data)


@torch.no_grad()
def test_images_that_padding_makes_equal_are_forwarded_together(peers, dataset, caplog):
    peer = peers['left'].eval()
    peer.data_preprocessor.test_cfg = {'size': (80, 80)}
    items = [dataset.labeling_item(number) for number in range(4)]
    for item, rows in zip(items, (64, 48, 64, 33), strict=True):
        item['inputs'] = item['inputs'][:, :rows].contiguous()
        item['data_samples'].set_metainfo({'img_shape': (rows, 64), 'ori_shape': (rows, 64)})
    forwarded = []
    handle = peer.backbone.register_forward_hook(lambda _, inputs, __: forwarded.append(tuple(inputs[0].shape)))
    together = predict_logits(peer, batch_of(*items))
    handle.remove()
    assert forwarded == [(4, 3, 80, 80)]
    for item, logits in zip(items, together, strict=True):
        (alone,) = predict_logits(peer, batch_of(item))
        torch.testing.assert_close(logits, alone)
    assert 'shapes are different' not in caplog.text


class Threads:
    """The store of pixel labels, its recorders with so many threads."""

    def __init__(self, number):
        self.bank = PseudoLabelBank
        self.recorder = partial(PixelRecorder, encoding_threads=number)


def test_any_number_of_encoding_threads_writes_the_same_bytes(peers, dataset, tmp_path):
    for number in (1, 3):
        root = tmp_path / str(number)
        label(peers, dataset, Threads(number), forward, root, 'r', 1, 0.5, batch_size=2, num_workers=0)
    for name in peers:
        for file in ('labels-0.bin', 'index-0.npy', 'manifest.json'):
            written = {(tmp_path / str(number) / name / file).read_bytes() for number in (1, 3)}
            assert len(written) == 1, file


def test_a_labeler_that_predicts_nan_is_refused(peers, dataset, tmp_path):
    peers['left'].decode_head.conv_seg.weight.data.fill_(float('nan'))
    with pytest.raises(ValueError, match='predicts NaN or infinity for image 0 of the unlabeled dataset'):
        label(peers, dataset, Threads(2), forward, tmp_path, 'r', 1, 0.5, num_workers=0)
    assert not list(tmp_path.rglob('index-*.npy'))


def test_a_labeler_of_more_classes_than_the_data_have_is_refused(peers, dataset, tmp_path):
    recorder = PixelRecorder(tmp_path, 10, num_classes=2)
    with (
        torch.no_grad(),
        recorder,
        pytest.raises(ValueError, match='predicts 3 classes, but the labeled dataset has 2'),
    ):
        recorder.record([0], forward(peers['left'].eval(), batch_of(dataset.labeling_item(0))))


def test_peers_label_in_the_precision_that_is_given(peers, dataset, tmp_path):
    seen = {name: set() for name in peers}
    for name, peer in peers.items():
        peer.decode_head.conv_seg.register_forward_hook(lambda *args, name=name: seen[name].add(args[2].dtype))
    half = {'left': partial(torch.autocast, 'cpu', torch.bfloat16)}
    banks = {
        'half': run(peers, dataset, tmp_path / 'half', precision=half),
        'full': run(peers, dataset, tmp_path / 'full'),
    }
    assert seen == {'left': {torch.bfloat16, torch.float32}, 'right': {torch.float32}}
    # Taken in bfloat16, the softmax would have a few values near one.
    assert len(np.unique(banks['half']['left'].read(0)[1])) > 256
    for one, other in zip(banks['half']['right'].read(0), banks['full']['right'].read(0), strict=True):
        assert np.array_equal(one, other)
