"""Images ranked by what peers say of them, from banks with known labels and by predicting them."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from PIL import Image
from toys.checkpoints import untrained_run
from toys.classification import image_run_config
from toys.segmentation import CLASSES
from toys.tools import load_tool

from mmdmt.apis import calibrate_model, export_onnx, find_label_errors, init_peers, label_images, predict_images
from mmdmt.apis.peer_labels import BankedImages, mutual_dataset
from mmdmt.apis.rank import rank_images, rank_run
from mmdmt.labels.images.bank import ImageRecorder
from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter

SIZE = 8, 10


@pytest.fixture
def run(shapes_folder, tmp_path, mmseg_scope):
    """A run with banks: of image i the peers disagree on i of 10 columns, class 0 against class 2."""
    config, checkpoint = untrained_run(shapes_folder, tmp_path, dmt={'run': 'abc'})
    names = mutual_dataset(Config.fromfile(config)).names_digest()
    for phase, peer in ((1, 'left'), (2, 'left'), (2, 'right')):
        folder = tmp_path / 'run' / 'pseudo_labels' / 'abc' / f'phase_{phase}' / peer
        with BankWriter(folder) as writer:
            for number in range(10):
                label = np.zeros(SIZE, np.uint8)
                label[:, : number if peer == 'right' else 0] = 2
                writer.write(number, label, np.full(SIZE, 0.75, np.float32))
        # Thresholds would drop everything; ranking counts what is dropped, too.
        Manifest('abc', phase, peer, '', 10, names, 0.5, (np.inf,) * 3, (0,) * 3, (0,) * 3, 1).write(folder)
    return config, checkpoint


def table(out):
    return list(csv.DictReader((out / 'rank.csv').read_text().splitlines()))


def test_the_runs_unlabeled_images_are_ranked_by_its_last_banks(run, tmp_path, shapes_folder):
    out = tmp_path / 'ranked'
    said = rank_run(*run, None, out, take=3, validate=0)
    assert 'Expected error: unknown' in said
    rows = table(out)
    unlabeled = (shapes_folder / 'unlabeled.txt').read_text().split()
    assert [row['image'] for row in rows] == unlabeled[::-1]
    assert [float(row['disagreement']) for row in rows] == [number / 10 for number in range(9, -1, -1)]
    assert float(rows[0]['doubt']) == pytest.approx(0.25 + 0.9 * 0.375, abs=1e-3)
    assert [rows[0][name] for name in ('expected_error', *CLASSES)] == ['', '0.9000', '', '1.0000']
    chosen = (out / 'label_next.txt').read_text().split()
    assert chosen[0] == unlabeled[9]
    assert len(set(chosen)) == 3
    labeled = (shapes_folder / 'labeled.txt').read_text().split()
    assert (out / 'labeled.txt').read_text().split() == labeled + chosen
    assert (out / 'unlabeled.txt').read_text().split() == [name for name in unlabeled if name not in chosen]
    assert Image.open(out / 'rank.png').width > 500


def test_named_classes_alone_count(run):
    banked = BankedImages(mutual_dataset(Config.fromfile(run[0])), run[1])
    assert rank_images(banked, classes=['disc'])[0].tolist() == [0, *[1] * 9]
    assert rank_images(banked, classes=['square'])[0].tolist() == [0] * 10
    # Of two classes that are seen, the mean.
    assert rank_images(banked, CLASSES)[0][5] == (0.5 + 1) / 2


def test_given_images_are_predicted_and_the_error_is_expected_from_validation(run, tmp_path, shapes_folder):
    listed = tmp_path / 'some.txt'
    listed.write_text('\n'.join((shapes_folder / 'unlabeled.txt').read_text().split()[:3]))
    rank_run(*run, listed, tmp_path / 'listed', take=2, validate=2)
    folder = tmp_path / 'photos' / 'deep'
    folder.mkdir(parents=True)
    paths = [shapes_folder / 'images' / f'{name}.png' for name in listed.read_text().split()]
    for path in paths:
        (folder / path.name).symlink_to(path)
    rank_run(*run, tmp_path / 'photos', tmp_path / 'in_folder', take=2, validate=0)
    rows = {row['image']: row for row in table(tmp_path / 'listed')}
    for sample in predict_images(init_peers(*run), paths):
        left, right = (sample.peers.get(name).pred_sem_seg.data for name in ('left', 'right'))
        row = rows[Path(sample.img_path).stem]
        assert float(row['disagreement']) == pytest.approx(float((left != right).float().mean()), abs=1e-6)
        assert 0 <= float(row['expected_error']) <= 1
    assert {row['image'] for row in table(tmp_path / 'in_folder')} == {f'deep/{name}' for name in rows}
    assert {path.name for path in (tmp_path / 'in_folder').iterdir()} == {'rank.csv', 'rank.png', 'label_next.txt'}
    assert (tmp_path / 'listed' / 'labeled.txt').is_file()


def test_classifiers_are_ranked_from_their_banks_and_their_labels_judged(tmp_path, capsys):
    config = image_run_config(tmp_path / 'run')
    dataset = mutual_dataset(config)
    number = dataset.num_unlabeled()
    scores = torch.full((2, number, 10), 0.05)
    scores[:, :, 4] = 0.55
    scores[1, 7] = torch.tensor([0.1] * 9 + [0.1])
    scores[1, 7, 2], scores[1, 7, 4] = 0.15, 0.05
    for peer, of_peer in zip(('left', 'right'), scores, strict=True):
        folder = tmp_path / 'run' / 'pseudo_labels' / 'abc' / 'phase_1' / peer
        recorder = ImageRecorder(folder, number, 10)
        with recorder:
            recorder.record(range(number), [(range(number), of_peer)])
        recorder.complete(0.5, run='abc', phase=1, peer=peer, weights='', names=dataset.names_digest())
    config.dump(tmp_path / 'config.py')
    weights, meta = MODELS.build(config.model).state_dict(), {'dataset_meta': {'classes': list('0123456789')}}
    torch.save({'state_dict': weights, 'meta': meta, 'dmt': {'run': 'abc'}}, tmp_path / 'run' / 'iter_9.pth')
    rank_run(tmp_path / 'config.py', tmp_path / 'run' / 'iter_9.pth', None, tmp_path / 'ranked', validate=3)
    rows = table(tmp_path / 'ranked')
    assert 0 <= float(rows[0]['expected_error']) <= 1
    assert float(rows[0]['disagreement']) == 1
    assert {float(row['disagreement']) for row in rows[1:]} == {0}
    assert not (tmp_path / 'ranked' / 'rank.png').exists()
    find_label_errors(tmp_path / 'config.py', [tmp_path / 'run' / 'iter_9.pth'], tmp_path / 'errors')
    assert 'which they excuse' in capsys.readouterr().out
    judged = (tmp_path / 'errors' / 'errors.csv').read_text().splitlines()
    assert len(judged) == 1 + len(dataset.labeled)
    config.test_dataloader = {'dataset': {'pipeline': [{'type': 'LoadImageFromFile'}, {'type': 'PackInputs'}]}}
    config.dump(tmp_path / 'files.py')
    run = tmp_path / 'files.py', tmp_path / 'run' / 'iter_9.pth'
    (tmp_path / 'photos').mkdir()
    for name in 'ab':
        Image.new('RGB', (8, 8)).save(tmp_path / 'photos' / f'{name}.png')
    rank_run(*run, tmp_path / 'photos', tmp_path / 'of_files', take=1, validate=0)
    assert {row['image'] for row in table(tmp_path / 'of_files')} == {'a', 'b'}
    model = init_peers(*run)
    (tmp_path / 'list.txt').write_text('a\nb\n')
    for call, sentence in (
        (
            lambda: label_images(model, tmp_path / 'photos', tmp_path / 'out'),
            'Labeling needs segmentors, but the model',
        ),
        (
            lambda: calibrate_model(model),
            'Calibration needs segmentors, but the model of this config classifies images',
        ),
        (lambda: export_onnx(model, tmp_path / 'a.onnx'), 'An ONNX file needs segmentors, but the model'),
        (
            lambda: rank_run(*run, tmp_path / 'list.txt', tmp_path / 'a'),
            'names 2 images, but the Digits of this run has',
        ),
        (lambda: find_label_errors(run[0], [run[1]], tmp_path / 'a', tmp_path / 'list.txt'), 'reads no list'),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
    DefaultScope._instance_dict.clear()


def empty_image(run, tmp_path, shapes):
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'a.png').write_bytes(b'')
    return *run, tmp_path / 'photos'


def one_peer(run, tmp_path, shapes):
    config = Config.fromfile(run[0])
    config.model = config.model.peers.left
    config.dump(tmp_path / 'left.py')
    content = torch.load(run[1])
    weights = content['state_dict'].items()
    content['state_dict'] = {name.removeprefix('left.'): one for name, one in weights if name.startswith('left.')}
    torch.save(content, tmp_path / 'left.pth')
    return tmp_path / 'left.py', tmp_path / 'left.pth', shapes / 'images'


def online(run, tmp_path, shapes):
    (run[1].parent / 'pseudo_labels').rename(tmp_path / 'elsewhere')
    return *run, None


def missing(run, tmp_path, shapes):
    (tmp_path / 'list.txt').write_text('no-such-image\n')
    return *run, tmp_path / 'list.txt'


@pytest.mark.parametrize(
    ('given', 'sentence'),
    [
        (empty_image, r'a\.png cannot be loaded as an image'),
        (one_peer, r'one EncoderDecoder without a second peer: .* give a run of two peers'),
        (lambda run, *there: (run[0], *one_peer(run, *there)[1:]), r'left\.pth, the checkpoint, is of another network'),
        (lambda run, _, shapes: (*run, shapes / 'masks'), r'\.png and others are masks, whose values are all'),
        (online, r'holds no pseudo labels, .* give the images to rank, a folder or a list'),
        (lambda run, _, shapes: (*run, next((shapes / 'images').iterdir())), r'is one image: give a folder'),
        (missing, r'names 1 images that do not exist, first .*no-such-image\.png'),
    ],
)
def test_what_cannot_be_ranked_is_told_in_a_sentence(run, tmp_path, shapes_folder, given, sentence):
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        rank_run(*given(run, tmp_path, shapes_folder), tmp_path / 'ranked', validate=0)
    assert not (tmp_path / 'ranked').exists()


def test_the_script_ranks_and_overwrites_nothing(run, tmp_path, capsys):
    script = load_tool('rank.py')
    arguments = [*map(str, run), '--out', str(tmp_path / 'ranked'), '--device', 'cpu', '--num-workers', '0']
    script.main([*arguments, '--take', '2', '--classes', 'disc', '--validate', '1'])
    assert '2 images in' in capsys.readouterr().out
    with pytest.raises(FileExistsError, match='is not overwritten'):
        script.main(arguments)
