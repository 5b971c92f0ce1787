"""An oracle: true labels in the place of pseudo labels, and labels alone in the learner's colors, its control."""

import copy
import shutil

import pytest
import torch
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from toys.classification import image_run_config
from toys.outcomes import differences
from toys.segmentation import TRAIN_PIPELINE, mask_unlabeled, mutual_dataset, run_config, shapes

from mmdmt.method.draws import ONLINE, TRUTH, Draw
from mmdmt.method.weights import ORACLE

MASKS = {'img_path': 'images', 'seg_map_path': 'masks'}
GRAY = [{'type': 'RandomGrayscale', 'prob': 1.0, 'keep_channels': True}]
PLAIN = [step for step in TRAIN_PIPELINE if step['type'] != 'PhotoMetricDistortion']
PHASES = [{'iters': 3, 'labeled': 2, 'pseudo': 2, 'online': {'labeler': 'truth'}}]


@pytest.fixture(scope='module')
def folder(shapes_folder, tmp_path_factory):
    """The shapes with a mask of every unlabeled image."""
    return mask_unlabeled(shutil.copytree(shapes_folder, tmp_path_factory.mktemp('known') / 'shapes'))


def config_of(root, work_dir, **settings):
    config = run_config(root, work_dir)
    config.custom_hooks[0].phases = PHASES
    config.train_cfg.max_iters = 3
    config.train_dataloader.dataset.unlabeled = shapes(root, 'unlabeled.txt', data_prefix=MASKS)
    config.merge_from_dict(settings)
    return config


@pytest.mark.usefixtures('mmseg_scope')
def test_true_labels_move_with_the_image(folder):
    labeled, unlabeled = (shapes(folder, f'{part}.txt', data_prefix=MASKS) for part in ('labeled', 'unlabeled'))
    dataset = DATASETS.build(mutual_dataset(folder, labeled={**labeled, 'pipeline': PLAIN}, unlabeled=unlabeled))
    for seed in range(8):
        known, unknown = (dataset[Draw('left', 3, seed, bank)] for bank in (TRUTH, ONLINE))
        assert torch.equal(known['inputs'], unknown['inputs'])
        blue, green, _ = known['inputs'].float()
        label = known['data_samples'].gt_sem_seg.data[0]
        seen = (blue > 130).long() + 2 * (green > 130).long()  # in BGR; the ground is below 60
        assert (label == seen).float().mean() > 0.93
        assert set(known['data_samples'].pseudo_confidence.data.unique().tolist()) == {ORACLE}


@pytest.mark.whole_run
def test_every_true_label_counts_fully_whatever_the_rule(folder, tmp_path):
    runner = Runner.from_cfg(config_of(folder, tmp_path))
    runner.train()
    for name in ('left', 'right'):
        counts = runner.model.losses_of(name)[0].counts
        assert counts['weight'] == counts['pixels'] > 3000
        assert counts['pseudo_pixels'] == 0
    assert not list(tmp_path.glob('pseudo_labels/**/*'))


@pytest.mark.whole_run
@pytest.mark.parametrize('gone', ['a mask', 'all of them'])
def test_an_unlabeled_image_without_a_label_is_refused_at_the_start(folder, tmp_path, gone):
    root = shutil.copytree(folder, tmp_path / 'shapes')
    prefix = {'img_path': 'images'} if gone == 'all of them' else MASKS
    config = config_of(root, tmp_path / 'run')
    config.train_dataloader.dataset.unlabeled.data_prefix = prefix
    (root / 'masks' / '009.png').unlink()
    words = 'but 10 of its images have none' if gone == 'all of them' else '009.png'
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        Runner.from_cfg(config).train()


@pytest.mark.whole_run
def test_classifiers_learn_true_classes(tmp_path):
    config = image_run_config(tmp_path)
    config.custom_hooks[0].update(phases=[{**PHASES[0], 'labeled': 4, 'pseudo': 4}], carry='last')
    config.train_cfg.max_iters = 3
    runner = Runner.from_cfg(config)
    dataset, seen = runner.train_dataloader.dataset, []
    original = runner.model._split
    runner.model._split = lambda data: seen.extend(copy.deepcopy(data['data_samples'])) or original(data)
    runner.train()
    known = [sample for sample in seen if 'pseudo_confidence' in sample]
    assert len(known) == 3 * 2 * 4
    draws = [draw for n in range(3) for draw in runner.train_dataloader.batch_sampler._plan.batch(n) if draw.bank]
    assert [int(one.gt_label) for one in known] == [int(dataset.truth(draw.image)[0]) for draw in draws]
    assert runner.model.left.head.loss_module.counts['weight'] == 8


@pytest.mark.usefixtures('mmseg_scope')
def test_the_view_of_labeled_images_is_theirs_alone(folder):
    dataset = DATASETS.build(mutual_dataset(folder, labeled_view=GRAY))
    of = {bank: dataset[Draw('left', 0, 1, bank)]['inputs'].float() for bank in (None, ONLINE)}
    assert of[None].std(dim=0).max() == 0
    assert of[ONLINE].std(dim=0).max() > 0


@pytest.mark.whole_run
def test_a_run_with_true_labels_resumes_to_the_same_bits(folder, tmp_path):
    Runner.from_cfg(config_of(folder, tmp_path / 'whole')).train()
    expected = torch.load(tmp_path / 'whole' / 'iter_3.pth')
    (tmp_path / 'resumed').mkdir()
    checkpoint = shutil.copy(tmp_path / 'whole' / 'iter_2.pth', tmp_path / 'resumed')
    Runner.from_cfg(config_of(folder, tmp_path / 'resumed', resume=True, load_from=str(checkpoint))).train()
    got = torch.load(tmp_path / 'resumed' / 'iter_3.pth')
    assert not list(differences(expected['state_dict'], got['state_dict']))
