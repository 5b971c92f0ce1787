"""Masks that peers contradict come first, judged by peers that have not learned them."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from toys.checkpoints import untrained_run
from toys.segmentation import CLASSES
from toys.tools import load_tool

from mmdmt.apis.label_errors import find_label_errors, judge_labels, plan_folds
from mmdmt.apis.peer_labels import PeerLabels


@pytest.fixture
def run(shapes_folder, tmp_path, mmseg_scope):
    def change(config):
        for part in ('labeled', 'unlabeled'):  # as in configs whose lists are one option
            del config.train_dataloader.dataset[part]['ann_file']
        config.train_dataloader.dataset.lists = str(shapes_folder / '{}.txt')

    config, checkpoint = untrained_run(shapes_folder, tmp_path, change)
    checkpoints = [tmp_path / f'{name}.pth' for name in ('labeled', 'fold_0', 'fold_1')]
    for path in checkpoints:
        content = torch.load(checkpoint)
        content['meta']['cfg'] = f"ann_file='lists/{path.stem}.txt'"
        torch.save(content, path)
    return config, checkpoints


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_swapped_mask_scores_more_than_sound_ones():
    label = np.zeros((8, 8), np.int64)
    label[2:6, 2:6] = 1
    probability = np.stack([label == 0, label == 1]) * 0.8 + 0.1
    masks = [label, 1 - label, label, np.roll(label, 1)]
    views = [PeerLabels(np.stack([label] * 2), probability.max(0), probability, mask) for mask in masks]
    images = SimpleNamespace(views=lambda numbers: (views[number] for number in numbers), names=list('abcd'))
    found = sorted(judge_labels(images, [0, 1, 3]), key=lambda one: -one.score)
    assert [one.name for one in found] == ['b', 'd', 'a']
    assert [len(one.regions) for one in found] == [2, 2, 0]


def test_folds_leave_each_label_to_peers_that_have_not_seen_it(run, tmp_path, shapes_folder):
    config, (_, *checkpoints) = run
    commands = plan_folds(config, 2, tmp_path / 'folds')
    labeled = (shapes_folder / 'labeled.txt').read_text().split()
    assert [(tmp_path / 'folds' / f'fold_{number}.txt').read_text().split() for number in range(2)] == [
        labeled[3:],
        labeled[:3],
    ]
    assert commands[1].startswith(f'python -m mmdmt train {config} --work-dir {tmp_path / "folds" / "fold_1"} ')
    assert commands[1].endswith(f'labeled.ann_file={tmp_path / "folds" / "fold_1.txt"}')
    find_label_errors(config, checkpoints, tmp_path / 'errors')
    rows = table(tmp_path / 'errors' / 'errors.csv')
    assert sorted(row['image'] for row in rows) == labeled
    scores = [float(row['score']) for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in table(tmp_path / 'errors' / 'regions.csv'):
        mask = np.asarray(Image.open(shapes_folder / 'masks' / f'{row["image"]}.png'))
        left, top, width, height = (int(row[key]) for key in ('left', 'top', 'width', 'height'))
        inside = mask[top : top + height, left : left + width] == CLASSES.index(row['label'])
        assert inside.sum() >= int(row['pixels']) > 0
        assert row['peers'] != row['label']
    assert Image.open(tmp_path / 'errors' / 'errors.png').width > 500


def test_peers_that_learned_a_mask_are_told(run, tmp_path, shapes_folder, capsys):
    config, (checkpoint, *_) = run
    find_label_errors(config, [checkpoint], tmp_path / 'all')
    assert 'the peers were trained on 6 of the 6 labels, which they excuse' in capsys.readouterr().out
    listed = tmp_path / 'back.txt'
    listed.write_text((shapes_folder / 'val.txt').read_text())
    find_label_errors(config, [checkpoint], tmp_path / 'back', listed)
    assert 'excuse' not in capsys.readouterr().out
    assert sorted(row['image'] for row in table(tmp_path / 'back' / 'errors.csv')) == listed.read_text().split()


@pytest.mark.parametrize(
    ('call', 'sentence'),
    [
        (lambda config, out, paths: plan_folds(config, 7, out), '6 labeled images make no 7 folds: give 2 to 6'),
        (
            lambda config, out, paths: find_label_errors(config, paths[:2], out),
            r'labeled\.pth was not trained on fold_0\.txt: give the checkpoints of all folds, in their order',
        ),
        (
            lambda config, out, paths: find_label_errors(config, paths[:1], out, out.parent / 'unlabeled.txt'),
            r'masks/006\.png .* cannot be read',
        ),
    ],
    ids=['too many folds', 'a checkpoint of no fold', 'no masks'],
)
def test_wrong_input_is_told_in_a_sentence(run, tmp_path, shapes_folder, call, sentence):
    (tmp_path / 'unlabeled.txt').write_text((shapes_folder / 'unlabeled.txt').read_text())
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        call(run[0], tmp_path / 'out', run[1])
    assert not (tmp_path / 'out').exists()


def test_the_script_wants_folds_or_checkpoints(run, tmp_path, capsys):
    script = load_tool('label_errors.py')
    with pytest.raises(SystemExit):
        script.main([str(run[0]), '--out', str(tmp_path / 'out')])
    script.main([str(run[0]), '--folds', '3', '--out', str(tmp_path / 'out')])
    assert capsys.readouterr().out.count('python -m mmdmt train') == 3
