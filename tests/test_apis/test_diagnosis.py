"""What rules would teach, beside what true labels would."""

import copy
import csv
import shutil

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, MODELS
from toys.segmentation import run_config, shapes
from toys.tools import load_tool

from mmdmt.apis.diagnosis import Case, diagnose
from mmdmt.models.segmentors import Segmentors

MASKS = {'img_path': 'images', 'seg_map_path': 'masks'}
TRUE_LABELS = [Case('all'), Case('sure', rule='confidence', gamma=2.0), Case('floor', floor=0.9), Case('self', 'self')]


@pytest.fixture
def config(shapes_folder, tmp_path):
    root = shutil.copytree(shapes_folder, tmp_path / 'shapes')
    for name in (root / 'unlabeled.txt').read_text().split():
        image = cv2.imread(str(root / 'images' / f'{name}.png'))
        mask = np.zeros(image.shape[:2], np.uint8)
        for label, color in ((1, (200, 80, 80)), (2, (80, 200, 80))):
            mask[(image == color).all(axis=2)] = label
        cv2.imwrite(str(root / 'masks' / f'{name}.png'), mask)
    config = run_config(root, tmp_path / 'run')
    config.train_dataloader.dataset.unlabeled = shapes(root, 'unlabeled.txt', data_prefix=MASKS)
    config.train_dataloader.dataset.learner_view = [{'type': 'PhotoMetricDistortion'}]
    return config


@pytest.fixture
def parts(config, mmseg_scope):
    model = MODELS.build(config.model)
    model.init_weights()
    return model.eval(), DATASETS.build(config.train_dataloader.dataset)


@pytest.mark.parametrize('right', [True, False])
def test_true_labels_teach_the_truth_and_wrong_ones_something_else(parts, monkeypatch, right):
    model, dataset = parts
    before = copy.deepcopy(model.state_dict())

    def know(self, peer, views):
        """Predict the truth, or always the next class, with a probability of 0.8; pixels tell it by their colors."""
        known = [cv2.blur(view.permute(1, 2, 0).numpy(), (1, 1)).astype(int) for view in views]
        rows = [np.where(one[..., 0] > 130, 1, np.where(one[..., 1] > 130, 2, 0)).ravel() for one in known]
        label = torch.from_numpy(np.concatenate(rows))
        return torch.full((3, len(label)), 0.1).scatter_(0, (label if right else (label + 1) % 3)[None], 0.8)

    truth = {}
    monkeypatch.setattr(Segmentors, 'predict_views', know)
    # The colors of the crop are distorted; take the labels of the crop itself.
    original = dataset.__class__.__getitem__

    def remember(self, draw):
        item = original(self, draw)
        if draw.bank == 'truth':
            truth[draw.image] = item['data_samples'].gt_sem_seg.data[0]
        else:
            label = original(self, draw._replace(bank='truth'))['data_samples'].gt_sem_seg.data[0]
            color = torch.tensor([[0, 200, 0], [0, 0, 200], [0, 0, 0]])[:, label.where(label < 3, 0)]
            item['data_samples'].weak_view.data = color.to(torch.uint8)
        return item

    monkeypatch.setattr(dataset.__class__, '__getitem__', remember)
    found = diagnose(model, dataset, images=5, batch_size=2, cases=TRUE_LABELS)
    classes = torch.bincount(torch.cat([one.flatten() for one in truth.values()]), minlength=256)[:3].numpy()
    assert set(found) == {'left', 'right'}
    for of_cases in found.values():
        for case, weight in (('all', 1.0), ('sure', 0.64), ('floor', 0.0), ('self', 1.0)):
            finding = of_cases[case]
            assert len(finding.cosines) == 3
            assert finding.labels[int(right)].tolist() == (classes if right else np.roll(classes, 1)).tolist()
            assert finding.labels[1 - int(right)].sum() == 0
            overall = finding.overall()
            assert overall['accuracy'] == float(right)
            assert overall['kept'] == float(weight > 0)
            assert overall['weight of right' if right else 'weight of wrong'] == pytest.approx(weight)
            if right:
                assert overall['length'] == pytest.approx(weight, abs=1e-5)
                assert overall['cosine'] == pytest.approx(float(weight > 0), abs=1e-5)
            else:
                assert overall['cosine'] < 0.9
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_gradient_is_that_of_a_loss_with_these_labels(parts):
    model, dataset = parts
    found = diagnose(model, dataset, images=2, batch_size=2, cases=[Case('all')])
    from mmdmt.method.draws import ONLINE, TRUTH, Draw

    peer = copy.deepcopy(model.left)
    for module in peer.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = 0.0
    gradients = []
    for bank in (TRUTH, ONLINE):
        items = [dataset[Draw('', image, image, bank)] for image in (0, 9)]
        if bank == ONLINE:
            views = [item['data_samples'].weak_view.data for item in items]
            label = model.kind.predict_views(model.right.eval(), views).argmax(0)
            known = torch.cat([item['data_samples'].gt_sem_seg.data.flatten() for item in items]) != 255
            model.kind.teach([item['data_samples'] for item in items], label.where(known, 255), known.float(), None)
            for item in items:
                item['data_samples'].pop('pseudo_confidence')
        learner = copy.deepcopy(peer).train()
        batch = {key: [item[key] for item in items] for key in ('inputs', 'data_samples')}
        losses = learner(**learner.data_preprocessor(batch, True), mode='loss')
        losses['decode.loss_dmt'].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in learner.parameters() if p.grad is not None]).double())
    true, taught = gradients
    (cosine,), (length,) = found['left']['all'].cosines, found['left']['all'].lengths
    assert cosine == pytest.approx(float(true @ taught / true.norm() / taught.norm()), abs=1e-4)
    assert length == pytest.approx(float(true @ taught / true.norm() ** 2), abs=1e-4)


def test_the_script_writes_a_table_and_a_picture(config, parts, tmp_path, capsys):
    model, dataset = parts
    torch.save(
        {'state_dict': model.state_dict(), 'meta': {'dataset_meta': dict(dataset.metainfo)}}, tmp_path / 'iter_1.pth'
    )
    config.dump(tmp_path / 'config.py')
    places = [str(tmp_path / name) for name in ('config.py', 'iter_1.pth', 'out')]
    load_tool('diagnose.py').main([*places, '--images', '4', '--device', 'cpu'])
    printed = capsys.readouterr().out
    assert printed.count('rule on the weak view, gamma 1') == 2
    with (tmp_path / 'out' / 'diagnosis.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert {row['class'] for row in rows} == {'', 'ground', 'square', 'disc'}
    whole = next(row for row in rows if row['case'] == 'every label counts' and not row['class'])
    assert float(whole['kept']) == 1
    assert -1 <= float(whole['cosine']) <= 1
    of_classes = [row for row in rows if row['case'] == whole['case'] and row['learner'] == 'left' and row['class']]
    assert sum(float(row['share of weight']) for row in of_classes) == pytest.approx(1, abs=1e-3)
    assert cv2.imread(str(tmp_path / 'out' / 'diagnosis.png')).shape[0] > 300


def test_images_without_masks_are_refused(config, mmseg_scope):
    config.train_dataloader.dataset.unlabeled.data_prefix = {'img_path': 'images'}
    dataset = DATASETS.build(config.train_dataloader.dataset)
    with pytest.raises(ValueError, match='10 of its images have none'):
        diagnose(MODELS.build(config.model), dataset)
