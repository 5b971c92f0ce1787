"""Pseudo labels as files: by the script, with a run's peers and with an exported one."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from toys.checkpoints import untrained_run
from toys.tools import load_tool

from mmdmt.apis import confidence_map, export_peer, init_peers, label_images, predict_images

MODULE = importlib.import_module('mmdmt.apis.label_images')  # the function of that name hides it


@pytest.fixture
def label():
    main = load_tool('label.py').main
    return lambda *arguments: main([*map(str, arguments), '--num-workers', '0', '--device', 'cpu'])


@pytest.fixture
def run(shapes_folder, tmp_path, mmseg_scope):
    return untrained_run(shapes_folder, tmp_path)


@pytest.fixture
def photos(tmp_path):
    generator = np.random.default_rng(0)
    for name, shape in {'b.png': (33, 47, 3), 'more/a.png': (50, 31), 'more/c.png': (40, 40, 3)}.items():
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, shape).astype(np.uint8)).save(path)
    return tmp_path / 'photos'


def read(path):
    return np.asarray(Image.open(path))


def predictions(run, photos, peer):
    return {
        Path(sample.img_path).relative_to(photos): (sample.pred_sem_seg.data[0].numpy(), confidence_map(sample).numpy())
        for sample in predict_images(init_peers(*run, peer=peer), photos)
    }


def test_overlays_show_classes_in_their_colors_over_the_image(label, run, photos, tmp_path):
    out = tmp_path / 'out'
    label(*run, photos, out, '--threshold', 0.5, '--draw')
    for name in ('b', 'more/a', 'more/c'):
        drawn = read(out / 'overlays' / f'{name}.jpg').astype(float)
        photo, labels = Image.open(photos / f'{name}.png').convert('RGB'), read(out / 'labels' / f'{name}.png')
        colors = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], float)
        known = labels < 3
        expected = np.asarray(photo, float)
        expected[known] = (expected[known] + colors[labels[known]]) / 2
        assert drawn.shape == (*labels.shape, 3)
        # JPEG changes single pixels of noise, not the mean of the regions.
        for one in (known & (labels == 1), known & (labels == 2), ~known):
            if one.sum() > 100:
                assert np.abs((drawn - expected)[one].mean(axis=0)).max() < 12
    assert sum((read(path) < 3).sum() for path in (out / 'labels').rglob('*.png'))


@pytest.mark.parametrize('peer', ['left', 'ensemble'])
def test_a_threshold_drops_what_is_less_sure(label, run, photos, tmp_path, peer):
    out = tmp_path / 'out'
    label(*run, photos, out, '--peer', peer, '--threshold', 0.6)
    assert {path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file()} == {
        'manifest.json',
        *(f'{kind}/{name}.png' for kind in ('labels', 'confidence') for name in ('b', 'more/a', 'more/c')),
    }
    dropped = 0
    for name, (labels, confidence) in predictions(run, photos, peer).items():
        with Image.open(out / 'labels' / name) as mask, Image.open(out / 'confidence' / name) as levels:
            assert (mask.mode, levels.mode) == ('L', 'I;16')
        np.testing.assert_array_equal(read(out / 'labels' / name), np.where(confidence >= 0.6, labels, 255))
        np.testing.assert_allclose(read(out / 'confidence' / name) / 65535, confidence, atol=1e-5)
        dropped += int((confidence < 0.6).sum())
    assert dropped
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['peer'] == peer
    assert manifest['threshold'] == 0.6
    assert manifest['label_ratio'] is None
    assert {name: facts['id'] for name, facts in manifest['classes'].items()} == {'ground': 0, 'square': 1, 'disc': 2}
    pixels, kept = (
        sum(facts[key] for facts in manifest['classes'].values()) for key in ('predicted_pixels', 'kept_pixels')
    )
    assert pixels == 33 * 47 + 50 * 31 + 40 * 40
    assert pixels - kept == dropped


def test_a_label_ratio_keeps_that_share_of_each_class_of_the_whole_folder(label, run, photos, tmp_path):
    out = tmp_path / 'out'
    label(*run, photos, out, '--peer', 'right', '--label-ratio', 0.3)
    manifest = json.loads((out / 'manifest.json').read_text())
    by_image = predictions(run, photos, 'right')
    shares = []
    for facts in manifest['classes'].values():
        confidences = np.concatenate([c[labels == facts['id']] for labels, c in by_image.values()])
        assert facts['predicted_pixels'] == len(confidences)
        kept = [(read(out / 'labels' / name) == facts['id']).sum() for name in by_image]
        assert facts['kept_pixels'] == sum(kept)
        if len(confidences) > 100:
            shares.append(sum(kept) / len(confidences))
            assert facts['threshold'] == pytest.approx(np.quantile(confidences, 0.7), abs=0.02)
    assert len(shares) > 1
    np.testing.assert_allclose(shares, 0.3, atol=0.02)
    for name, (labels, confidence) in by_image.items():
        found = read(out / 'labels' / name)
        np.testing.assert_array_equal(found[found != 255], labels[found != 255])
        np.testing.assert_allclose(read(out / 'confidence' / name) / 65535, confidence, atol=1e-3)
    assert not list(out.glob('.*'))


def test_an_exported_peer_labels_as_the_peer_itself(label, run, photos, tmp_path):
    config, weights = export_peer(init_peers(*run).cfg, torch.load(run[1]), 'left')
    config.dump(tmp_path / 'left.py')
    torch.save(weights, tmp_path / 'left.pth')
    label(tmp_path / 'left.py', tmp_path / 'left.pth', photos, tmp_path / 'plain')
    label(*run, photos, tmp_path / 'peer', '--peer', 'left')
    for path in (tmp_path / 'peer').rglob('*.png'):
        np.testing.assert_array_equal(read(tmp_path / 'plain' / path.relative_to(tmp_path / 'peer')), read(path))
    assert json.loads((tmp_path / 'plain' / 'manifest.json').read_text())['peer'] is None
    assert (read(tmp_path / 'plain' / 'labels' / 'b.png') != 255).all()


def test_wrong_input_is_named_before_anything_is_written(label, run, photos, tmp_path):
    out = tmp_path / 'out'
    for arguments, message in {
        ('--label-ratio', 1.5): r'The label ratio must be in \(0, 1\], got 1\.5',
        ('--threshold', 60): r'The threshold must be a probability in \[0, 1\], got 60\.0',
        ('--peer', 'middle'): "peers of this config are left, right and ensemble, got 'middle'",
    }.items():
        with pytest.raises(ValueError, match=message):
            label(*run, photos, out, *arguments)
    with pytest.raises(ValueError, match='lies in .*photos, which is not written to'):
        label(*run, photos, photos / 'labeled')
    stored = torch.load(run[1])
    del stored['meta']['dataset_meta']['palette']
    torch.save(stored, tmp_path / 'colorless.pth')
    with pytest.raises(ValueError, match='a color for each of the 3 classes, and the checkpoint names 0'):
        label(run[0], tmp_path / 'colorless.pth', photos, out, '--draw')
    (photos / 'b.jpg').write_bytes((photos / 'b.png').read_bytes())
    with pytest.raises(ValueError, match=r'b\.jpg and .*b\.png would both be labeled in b\.png'):
        label(*run, photos, out)
    assert not out.exists()
    (photos / 'b.jpg').unlink()
    out.mkdir()
    (out / 'mine.txt').write_text('mine')
    with pytest.raises(FileExistsError, match='out exists and is not overwritten'):
        label(*run, photos, out)


@pytest.mark.parametrize('kept', [('--label-ratio', 0.5), ('--threshold', 0.4)], ids=lambda kept: kept[0])
def test_what_fails_is_named_and_the_rest_is_labeled_and_goes_on(label, run, photos, tmp_path, capsys, kept):
    whole, out = tmp_path / 'whole', tmp_path / 'out'
    label(*run, photos, whole, *kept)
    sound = (photos / 'b.png').read_bytes()
    (photos / 'b.png').write_bytes(sound[:100])
    capsys.readouterr()
    assert label(*run, photos, out, *kept) == 1
    assert 'b.png cannot be loaded as an image' in capsys.readouterr().out
    manifest = json.loads((out / 'manifest.json').read_text())
    assert [Path(path).name for path in manifest['failed']] == ['b.png']
    assert not (out / 'labels' / 'b.png').exists()
    (photos / 'b.png').write_bytes(sound)
    assert label(*run, photos, out, *kept, '--continue') == 0
    assert json.loads((out / 'manifest.json').read_text()) == json.loads((whole / 'manifest.json').read_text())
    for path in sorted(whole.rglob('*.png')):
        assert path.read_bytes() == (out / path.relative_to(whole)).read_bytes()


@pytest.mark.parametrize(
    ('heads', 'reduced', 'first', 'dropped'),
    [(255, True, 1, 0), (3, False, 0, 3), (0, False, 0, 0), (254, False, 0, 254)],
)
def test_labels_are_written_as_the_data_set_stores_masks(run, photos, tmp_path, heads, reduced, first, dropped):
    model = init_peers(*run)
    for peer in model.bare_peers.values():
        peer.decode_head.ignore_index = heads
    model.dataset_meta = {**model.dataset_meta, 'reduce_zero_label': reduced}
    manifest = label_images(model, photos, tmp_path / 'out', threshold=0.6)
    for name, (labels, confidence) in predictions(run, photos, 'ensemble').items():
        expected = np.where(confidence >= 0.6, labels + first, dropped)
        np.testing.assert_array_equal(read(tmp_path / 'out' / 'labels' / name), expected)
    assert [one['id'] for one in manifest['classes'].values()] == [first, first + 1, first + 2]
    assert f'{dropped} where the label is dropped' in manifest['labels']


def test_bits_that_loading_drops_are_told(label, run, tmp_path, capsys):
    (tmp_path / 'deep').mkdir()
    Image.fromarray(np.full((40, 40), 3000, np.uint16)).save(tmp_path / 'deep' / 'a.png')
    label(*run, tmp_path / 'deep', tmp_path / 'out')
    said = capsys.readouterr().out
    assert 'deep/a.png has 16 bits a channel, but is loaded with 8, in which its highest value is 11' in said


def test_of_two_labelings_that_start_at_once_one_writes(run, photos, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    looked = MODULE._check_folders

    def look_and_be_late(*folders):
        looked(*folders)
        (out / 'labels').mkdir(parents=True)
        (out / 'labels' / 'b.png').write_bytes(b'of the other')

    monkeypatch.setattr(MODULE, '_check_folders', look_and_be_late)
    with pytest.raises(FileExistsError, match='is being written by another labeling: give another folder'):
        label_images(init_peers(*run), photos, out)
    assert [path.name for path in out.rglob('*')] == ['labels', 'b.png']


def test_confidence_is_calibrated_and_agreement_lies_beside_it(label, run, photos, tmp_path):
    label(*run, photos, tmp_path / 'out', '--confidence', '--label-ratio', '0.5')
    found = json.loads((tmp_path / 'out' / 'manifest.json').read_text())['calibration']
    assert found['calibrated_error'] <= 1
    assert sum(one['share'] for one in found['reliability']) == pytest.approx(1)
    model = init_peers(*run)
    for sample in predict_images(model, photos):
        name = Path(sample.img_path).relative_to(photos).with_suffix('.png')
        powers = (sample.seg_logits.data / found['temperature']).exp()
        sure, calibrated = (powers.amax(0) / powers.sum(0)).numpy(), read(tmp_path / 'out' / 'calibrated' / name)
        np.testing.assert_allclose(calibrated / 255, sure, atol=0.5 / 255 + 1e-4)
        peers = [sample.peers.get(one).pred_sem_seg.data for one in ('left', 'right')]
        agree = sum((one == sample.pred_sem_seg.data)[0].numpy() * 127.5 for one in peers)
        assert (read(tmp_path / 'out' / 'agreement' / name) == np.round(agree)).all()
        assert calibrated.dtype == np.uint8
    label(*run, photos, tmp_path / 'alone', '--confidence', '--peer', 'left')
    assert len(list((tmp_path / 'alone' / 'calibrated').rglob('*.png'))) == 3
    assert not (tmp_path / 'alone' / 'agreement').exists()
