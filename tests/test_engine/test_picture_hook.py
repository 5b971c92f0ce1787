import re

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from test_dmt_hook import HOOK
from toys.checkpoints import take_back
from toys.classification import image_run_config
from toys.segmentation import run_config, toy_segmentor
from toys.told import scalars_of

from mmdmt import visualization
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.engine import picture_hook
from mmdmt.labels.pixels.bank import PseudoLabelBank
from mmdmt.method.confidence_levels import quantize_tensor
from mmdmt.method.thresholds import class_thresholds, count_levels
from mmdmt.method.weights import compare, mutual_weights
from mmdmt.models.prediction import forward_crops, predict_logits

pytestmark = pytest.mark.whole_run

NAMES = ['unlabeled_0_006', 'unlabeled_9_015', 'val_0_016']


def run(root, work_dir, pictures=None, **settings):
    config = run_config(root, work_dir, **settings)
    if pictures is not None:
        config.custom_hooks.append({'type': 'mmdmt.PictureHook', **pictures})
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


@pytest.fixture(scope='module')
def drawn(shapes_folder, tmp_path_factory):
    """A run with pictures of two unlabeled images and one of validation, and what they were drawn of."""
    work_dir, views = tmp_path_factory.mktemp('drawn'), []
    with pytest.MonkeyPatch.context() as patch:
        original = picture_hook._view
        patch.setattr(picture_hook, '_view', lambda *args: views.append(original(*args)) or views[-1])
        # Unlabeled images are never without noise in this test: drawing one must not be a draw of the run's.
        original_item = MutualDataset.labeling_item
        patch.setattr(MutualDataset, 'labeling_item', lambda *args: (torch.rand(3), original_item(*args))[1])
        runner = run(shapes_folder, work_dir, {'images': 2, 'val_images': 1}, **{HOOK + 'keep_banks': 0})
    return work_dir, runner, views


def test_every_phase_with_labels_and_the_end_have_a_sheet_of_each_image(drawn):
    work_dir, _, _ = drawn
    found = {
        folder.name: sorted(path.stem for path in folder.iterdir()) for folder in (work_dir / 'pictures').iterdir()
    }
    assert found == {name: NAMES for name in ('phase_1', 'phase_2', 'end')}
    for path in (work_dir / 'pictures').rglob('*.png'):
        assert cv2.imread(str(path)).std() > 10


def test_backends_get_the_sheets_at_the_iteration_where_the_phase_begins(drawn):
    work_dir, _, _ = drawn
    (folder,) = work_dir.glob('*/vis_data/vis_image')
    got = {path.name for path in folder.iterdir()}
    assert got == {f'picture_{name}_{step}.png' for name in NAMES for step in (3, 6, 9)}


def test_pictures_change_no_weight_and_no_metric(drawn, shapes_folder, tmp_path):
    run(shapes_folder, tmp_path)
    expected, got = (torch.load(folder / 'iter_9.pth')['state_dict'] for folder in (tmp_path, drawn[0]))
    assert all(value.equal(got[key]) for key, value in expected.items())
    metrics = []
    for folder in (tmp_path, drawn[0]):
        metrics.append([entry['ensemble/mIoU'] for entry in scalars_of(folder, 'ensemble/mIoU')])
    assert metrics[0] == metrics[1]


def test_what_is_drawn_is_what_peers_predict_and_teach(drawn):
    work_dir, runner, views = drawn
    (banks,) = (work_dir / 'pseudo_labels').iterdir()
    dataset, model = runner.train_dataloader.dataset, runner.model.eval()
    for image, view in zip((0, 9), views[-3:], strict=False):  # the end: the model as it is now
        item = dataset.labeling_item(image)
        with torch.no_grad():
            data = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
            logits = {name: predict_logits(peer, data)[0] for name, peer in model.peers.items()}
        for name, labeler in (('left', 'right'), ('right', 'left')):
            label, confidence = PseudoLabelBank(banks / 'phase_2' / labeler).read(image)
            compared = compare(
                logits[name][None], torch.from_numpy(label).long()[None], torch.from_numpy(confidence)[None]
            )
            weight = mutual_weights(compared, 5.0, 5.0)
            assert np.array_equal(view.predictions[name], logits[name].argmax(0))
            assert np.array_equal(view.pseudo_labels[labeler], label)
            assert np.array_equal(view.weights[name], weight[0])
            assert view.taught_by[name] == labeler
        assert view.truth is None
    validated = views[-1]
    assert validated.truth.shape == validated.image.shape[:2]
    assert not validated.weights


def test_a_run_without_pseudo_labels_is_drawn_at_its_end(shapes_folder, tmp_path):
    settings = {HOOK + 'phases': [{'iters': 1, 'labeled': 4}], 'train_cfg.max_iters': 1, **NO_VALIDATION}
    one_peer = {'_delete_': True, 'left': toy_segmentor()}
    run(shapes_folder, tmp_path, {'images': 1}, **settings, **{'model.peers': one_peer})
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob('pictures/*/*')] == [
        'pictures/end/unlabeled_0_006.png'
    ]


NO_VALIDATION = {'val_cfg': None, 'val_dataloader': None, 'val_evaluator': None}


@pytest.mark.parametrize(
    ('pictures', 'settings', 'words'),
    [
        ({'images': -1}, {}, 'images=-1 of PictureHook'),
        ({'val_images': 2}, NO_VALIDATION, 'val_images=2 of PictureHook, but the run validates on no image'),
    ],
)
def test_images_that_there_are_not_are_refused(shapes_folder, tmp_path, pictures, settings, words):
    with pytest.raises(ValueError, match=words):
        run(shapes_folder, tmp_path, pictures, **settings)


def test_without_matplotlib_the_run_stops_before_it_starts(shapes_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(picture_hook, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match=re.escape("pip install 'mmdmt[demo]'")):
        run(shapes_folder, tmp_path, {})
    assert not list(tmp_path.glob('*.pth'))


def test_classifiers_are_refused(tmp_path):
    config = image_run_config(tmp_path)
    config.custom_hooks.append({'type': 'mmdmt.PictureHook'})
    with pytest.raises(ValueError, match='the peers are classifiers: take it out'):
        Runner.from_cfg(config).train()


def test_images_are_spread_evenly():
    assert picture_hook._spread(4, 10) == [0, 3, 6, 9]
    assert picture_hook._spread(4, 2) == [0, 1]
    assert picture_hook._spread(0, 0) == []


def test_a_finished_run_that_is_resumed_is_drawn_without_its_labels(drawn, shapes_folder, tmp_path):
    take_back(drawn[0], 9, tmp_path)
    run(shapes_folder, tmp_path, {'images': 1}, resume=True)
    assert [path.parent.name for path in tmp_path.rglob('pictures/*/*')] == ['end']


ONLINE = {'labeler': 'average', 'min_confidence': 0.4, 'label_ratio': 0.6}
ONLINE_PHASES = [
    {'iters': 2, 'labeled': 4},
    {'iters': 3, 'labeled': 2, 'pseudo': 2, 'online': ONLINE},
    {'iters': 2, 'labeled': 2, 'pseudo': 2, 'label_ratio': 0.5},
]


def two_view_run(root, work_dir, pictures, view=({'type': 'PhotoMetricDistortion'},)):
    settings = {HOOK + 'phases': ONLINE_PHASES, 'train_cfg.max_iters': 7}
    if view:
        settings['train_dataloader.dataset.learner_view'] = list(view)
    config = run_config(root, work_dir, **settings)
    config.custom_hooks.append({'type': 'EMAHook', 'momentum': 0.1})
    if pictures:
        config.custom_hooks.append({'type': 'mmdmt.PictureHook', 'images': 2})
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def test_both_views_are_drawn_and_of_an_online_phase_what_is_taught(shapes_folder, tmp_path, monkeypatch):
    views, original = {}, visualization.draw_phase

    def listen(path, view, *args):
        views[path.parent.name, path.stem] = view
        return original(path, view, *args)

    monkeypatch.setattr(visualization, 'draw_phase', listen)
    runner = two_view_run(shapes_folder, tmp_path / 'drawn', pictures=True)
    assert set(views) == {(part, name) for part in ('phase_1', 'phase_2', 'end') for name in NAMES[:2]}
    for (part, _), view in views.items():
        weak, strong = view.crop.labelers_view, view.crop.image
        assert weak.shape == strong.shape
        assert max(weak.shape[:2]) == 32
        assert not np.array_equal(weak, strong)
        assert set(view.crop.pseudo_labels) == ({'left', 'right'} if part == 'phase_1' else set())
        assert bool(view.pseudo_labels) == (part != 'phase_1')
    # A picture of a phase is drawn before its first update, of averages: those of the checkpoint at its start.
    model = runner.model.eval()
    start = torch.load(tmp_path / 'drawn' / 'iter_2.pth')['ema_state_dict']
    model.load_state_dict({key.removeprefix('module.'): value for key, value in start.items() if key != 'steps'})
    for name in NAMES[:2]:
        crop = views['phase_1', name].crop
        for learner, labeler in (('left', 'right'), ('right', 'left')):
            label, sure = taught(model.bare_peers[labeler], crop.labelers_view)
            kept = sure >= class_thresholds(count_levels(label, quantize_tensor(sure), 3), 0.6)[label.long()]
            np.testing.assert_array_equal(crop.pseudo_labels[labeler], label.where(kept, 255))
            logits = logits_of(model.bare_peers[learner], crop.image)
            expected = mutual_weights(compare(logits, label[None].long(), sure[None]), 5.0, 5.0)[0]
            expected = expected * (sure >= 0.4) * kept
            torch.testing.assert_close(torch.from_numpy(crop.weights[learner]), expected)
    # Drawn or not, the run ends with the same weights.
    plain = two_view_run(shapes_folder, tmp_path / 'plain', pictures=False)
    expected, got = (torch.load(tmp_path / name / 'iter_7.pth')['state_dict'] for name in ('plain', 'drawn'))
    assert plain.iter == 7
    assert all(value.equal(got[key]) for key, value in expected.items())


def logits_of(peer, picture):
    image = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    with torch.no_grad():
        size = picture.shape[:2]
        sample = SegDataSample(metainfo={'img_shape': size, 'ori_shape': size})
        (predicted,) = forward_crops(peer, {'inputs': [image], 'data_samples': [sample]})
        return predicted.logits[:, :, : size[0], : size[1]]


def taught(peer, picture):
    confidence, label = logits_of(peer, picture)[0].softmax(0).max(0)
    return label, confidence


def test_with_one_view_an_online_phase_shows_the_crop_once(shapes_folder, tmp_path, monkeypatch):
    views = []
    original = visualization.draw_phase
    monkeypatch.setattr(visualization, 'draw_phase', lambda path, *args: views.append(args[0]) or original(path, *args))
    two_view_run(shapes_folder, tmp_path, pictures=True, view=())
    assert [view.crop is None for view in views] == [False] * 2 + [True] * 4
    assert views[0].crop.labelers_view is None
    assert set(views[0].crop.weights) == {'left', 'right'}
