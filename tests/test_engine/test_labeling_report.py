"""What a run tells about its pseudo labels."""

import logging
import math
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from test_dmt_hook import HOOK
from toys.checkpoints import take_back
from toys.run_folders import MANIFEST
from toys.segmentation import CLASSES, mask_unlabeled, run_config
from toys.told import log_of, scalars_of

from mmdmt.engine import phase_labels
from mmdmt.engine.phase_labels import report_labels
from mmdmt.labels.pixels.bank import PseudoLabelBank

pytestmark = pytest.mark.whole_run

UNLABELED = 'train_dataloader.dataset.unlabeled.data_prefix'
BACKENDS = [{'type': 'LocalVisBackend'}, {'type': 'TensorboardVisBackend'}]


@pytest.fixture(scope='module')
def masked(shapes_folder, tmp_path_factory):
    """The shapes with masks of the unlabeled images; that of the last one is broken."""
    root = mask_unlabeled(shutil.copytree(shapes_folder, tmp_path_factory.mktemp('masked') / 'shapes'))
    (root / 'masks' / '015.png').write_bytes(b'no image')
    return root


def run(root, work_dir, **settings):
    runner = Runner.from_cfg(run_config(root, work_dir, **settings))
    runner.train()
    return runner


def labelings(work_dir):
    return scalars_of(work_dir, 'pseudo/phase')


@pytest.fixture(scope='module')
def plain(masked, tmp_path_factory):
    """A run on data that name no masks."""
    work_dir = tmp_path_factory.mktemp('plain')
    run(masked, work_dir)
    return work_dir


@pytest.fixture(scope='module')
def reported(masked, tmp_path_factory):
    """A run that compares its pseudo labels with the masks."""
    work_dir = tmp_path_factory.mktemp('reported')
    names_masks = {UNLABELED: {'img_path': 'images', 'seg_map_path': 'masks'}, HOOK + 'keep_banks': 0}
    run(masked, work_dir, **names_masks, visualizer={'type': 'Visualizer', 'vis_backends': BACKENDS})
    return work_dir


def weights(work_dir):
    return torch.load(work_dir / 'iter_9.pth')['state_dict']


def test_masks_and_the_report_on_them_change_no_weight(plain, reported):
    expected, got = weights(plain), weights(reported)
    assert all(value.equal(got[key]) for key, value in expected.items())


def test_every_phase_tells_what_is_kept_at_the_iteration_where_it_begins(plain):
    told = labelings(plain)
    assert [(entry['step'], entry['pseudo/phase']) for entry in told] == [(3, 1), (6, 2)]
    for entry, ratio in zip(told, (0.5, 1.0), strict=True):
        assert entry['pseudo/seconds'] > 0
        for name in ('left', 'right'):
            assert 100 * ratio <= entry[f'pseudo/{name}/coverage'] <= 100
            assert any(f'pseudo/{name}/threshold/{cls}' in entry for cls in CLASSES)
        assert not any('precision' in key or 'iou' in key.lower() for key in entry)


def test_precision_and_iou_are_those_of_the_labels_in_the_bank(reported, masked):
    (root,) = (reported / 'pseudo_labels').iterdir()
    for entry in labelings(reported):
        for name in ('left', 'right'):
            bank = PseudoLabelBank(root / f'phase_{entry["pseudo/phase"]}' / name)
            confusion = np.zeros((3, 3))
            for image in range(9):  # the mask of number 9 is broken
                truth = cv2.imread(str(masked / 'masks' / f'{image + 6:03d}.png'), cv2.IMREAD_UNCHANGED)
                label, _ = bank.read(image)
                kept = label != 255
                np.add.at(confusion, (truth[kept], label[kept]), 1)
            right, labels, truths = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
            expected = {'precision': 100 * right.sum() / labels.sum()}
            ious = []
            for cls in range(3):
                if labels[cls]:
                    expected[f'precision/{CLASSES[cls]}'] = 100 * right[cls] / labels[cls]
                if labels[cls] + truths[cls]:
                    ious.append(100 * right[cls] / (labels[cls] + truths[cls] - right[cls]))
                    expected[f'iou/{CLASSES[cls]}'] = ious[-1]
            expected['mIoU'] = sum(ious) / len(ious)
            prefix = f'pseudo/{name}/'
            quantities = ('precision', 'iou', 'mIoU')
            got = {key.removeprefix(prefix): value for key, value in entry.items() if key.startswith(prefix)}
            got = {key: value for key, value in got.items() if key.split('/')[0] in quantities}
            assert got == pytest.approx(expected)


def test_tensorboard_gets_what_the_json_file_gets(reported):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (path,) = reported.glob('*/vis_data/events.out.*')
    events = EventAccumulator(str(path)).Reload()
    for entry in labelings(reported):
        for key in entry.keys() - {'step'}:
            assert math.isclose(
                {event.step: event.value for event in events.Scalars(key)}[entry['step']], entry[key], rel_tol=1e-6
            )


def test_the_log_tabulates_labelers_and_names_what_has_no_labels(reported):
    log = log_of(reported)
    for phase in (1, 2):
        for name in ('left', 'right'):
            assert f"Phase {phase}: pseudo labels of '{name}', compared with the truth of 9 of 10 images" in log
    assert log.count('precision      IoU') == 4
    assert re.search(r'WARNING - 1 unlabeled images are left out .*image 9: The mask .*015.png cannot be read', log)
    for entry in labelings(reported):
        for name in ('left', 'right'):
            without = [cls for cls in CLASSES if f'pseudo/{name}/coverage/{cls}' not in entry]
            warning = f"Phase {entry['pseudo/phase']}: '{name}' gives no pseudo label to {', '.join(without)}"
            assert (warning in log) == bool(without)


def test_a_class_without_pseudo_labels_is_a_warning_that_names_it(monkeypatch):
    logged = {}
    monkeypatch.setattr(phase_labels, 'print_log', lambda text, logger, level=20: logged.update({level: text}))
    labels = SimpleNamespace(bank=lambda _: bank)
    classes = {'classes': ('road', 'train', 'sky')}
    dataset = SimpleNamespace(metainfo=classes, labels=labels, ignored=255, has_truth=lambda: False)
    bank = SimpleNamespace(manifest=MANIFEST)
    report_labels(dataset, {'coco': Path('coco')}, SimpleNamespace(add_scalars=print), 5, 1.0, num_workers=0)
    assert logged[logging.WARNING].startswith("Phase 2: 'coco' gives no pseudo label to train: its learner sees")


def test_a_labeling_that_was_done_before_is_told_again_without_its_time(reported, masked, tmp_path):
    take_back(reported, 3, tmp_path)
    shutil.copytree(reported / 'pseudo_labels', tmp_path / 'pseudo_labels')
    names_masks = {UNLABELED: {'img_path': 'images', 'seg_map_path': 'masks'}}
    run(masked, tmp_path, resume=True, **names_masks)
    expected, got = labelings(reported)[0], labelings(tmp_path)[0]
    assert got == {key: value for key, value in expected.items() if key != 'pseudo/seconds'}


def test_the_page_on_following_a_run_names_every_scalar(reported):
    page = (Path(__file__).parents[2] / 'docs' / 'en' / 'follow_a_run.md').read_text()
    for key in {key for entry in scalars_of(reported) for key in entry}:
        name = re.sub('|'.join(CLASSES), '<class>', key)
        name = re.sub(r'^(left|right)\b', '<peer>', re.sub(r'/(left|right)\b', '/<labeler>', name))
        if name.startswith(('pseudo/', '<peer>.')) and not name.endswith('.lr'):
            assert f'`{name}`' in page, name
