"""What a run of classifiers tells, by iteration and by labeling."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from toys.classification import image_run_config

from mmdmt.labels.images.bank import ScoreBank
from mmdmt.losses import DynamicMutualLoss

pytestmark = pytest.mark.whole_run


@pytest.fixture(scope='module')
def told(tmp_path_factory):
    """The scalars of a run, its work_dir and its data."""
    work_dir = tmp_path_factory.mktemp('work')
    runner = Runner.from_cfg(image_run_config(work_dir, **{'custom_hooks.0.keep_banks': 0}))
    runner.train()
    DefaultScope._instance_dict.clear()
    (path,) = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in path.read_text().splitlines()], work_dir, runner.train_dataloader.dataset


def test_every_iteration_tells_loss_and_accuracy_of_each_peer(told):
    entries = [entry for entry in told[0] if 'loss' in entry]
    assert len(entries) == 9
    for number, entry in enumerate(entries):
        for peer in ('left', 'right'):
            assert f'{peer}.loss_dmt' in entry
            assert entry[f'{peer}.accuracy'] in [12.5 * right for right in range(9)]
            for name in ('mean_weight', 'disagreement', 'learner_wins'):
                assert (f'{peer}.{name}' in entry) == (number >= 3)


def test_a_labeling_tells_how_right_the_selected_images_are(told):
    entries, work_dir, dataset = told
    truth = np.array([dataset.truth(image)[0] for image in range(dataset.num_unlabeled())])
    (root,) = (work_dir / 'pseudo_labels').iterdir()
    labelings = [entry for entry in entries if 'pseudo/phase' in entry]
    assert [entry['step'] for entry in labelings] == [3, 6]
    for entry, ratio in zip(labelings, (0.5, 1.0), strict=True):
        for name in ('left', 'right'):
            bank = ScoreBank(root / f'phase_{entry["pseudo/phase"]}' / name)
            labels = np.array([bank.read(image)[0] for image in bank.selected])
            assert entry[f'pseudo/{name}/coverage'] == 100 * int(ratio * len(truth)) / len(truth)
            assert entry[f'pseudo/{name}/precision'] == pytest.approx(100 * (labels == truth[bank.selected]).mean())
            for cls, of_class in enumerate(dataset.metainfo['classes']):
                told_of_class = entry.get(f'pseudo/{name}/precision/{of_class}')
                if (labels == cls).any():
                    assert told_of_class == pytest.approx(100 * (truth[bank.selected][labels == cls] == cls).mean())
                else:
                    assert told_of_class is None


def test_the_accuracy_is_that_on_labels_that_are_classes():
    loss, label = DynamicMutualLoss(), torch.tensor([0, 1, 1, 0])
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])
    loss(logits, label)
    assert loss.accuracy == 75
    loss(logits, torch.eye(2)[label])
    assert loss.accuracy is None
