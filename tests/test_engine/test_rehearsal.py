import copy

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.registry import MODELS, TRANSFORMS
from mmengine.runner import Runner
from mmseg.models.decode_heads import FCNHead
from toys.classification import image_run_config
from toys.outcomes import differences
from toys.segmentation import TRAIN_PIPELINE, run_config, shapes
from toys.told import log_of

from mmdmt.engine import rehearsal
from mmdmt.engine.metric_names import fit_metric_names
from mmdmt.engine.rehearsal import rehearse
from mmdmt.engine.start_checks import check_training

pytestmark = pytest.mark.whole_run

HOOK = 'custom_hooks.0.'


def ready(config):
    """Build what trains, as the runner has it when hooks get ready."""
    runner = Runner.from_cfg(config)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner._val_loop = runner.build_val_loop(runner._val_loop) if runner._val_loop is not None else None
    return runner, runner._hooks[[type(hook).__name__ for hook in runner._hooks].index('DMTHook')].curriculum


def rehearsed(root, work_dir, **settings):
    return rehearse(*ready(run_config(root, work_dir, **settings)))


def everything(work_dir, runner, metric):
    """All that a run leaves behind: its last checkpoint and the next random numbers."""
    checkpoint = torch.load(work_dir / 'iter_9.pth', weights_only=False)
    kept = {key: checkpoint[key] for key in ('state_dict', 'optimizer', 'param_schedulers')}
    return kept, torch.rand(4), np.random.rand(4), runner.message_hub.get_scalar(f'val/ensemble/{metric}').data


@pytest.mark.parametrize('kind', ['last', 'best', 'images'])
def test_a_run_is_the_same_with_and_without_a_rehearsal(shapes_folder, tmp_path, kind):
    ends = []
    for wanted in (True, False):
        work_dir, settings = tmp_path / f'{wanted}', {HOOK + 'rehearsal': wanted}
        if kind == 'images':
            config = image_run_config(work_dir, **settings)
        else:
            config = run_config(shapes_folder, work_dir, **settings, **{HOOK + 'carry': kind})
        config.experiment_name = f'{kind}_{wanted}'
        runner = Runner.from_cfg(config)
        runner.train()
        ends.append(everything(work_dir, runner, 'top1' if kind == 'images' else 'mIoU'))
    assert not list(differences(*ends))


def test_nothing_is_other_than_before(shapes_folder, tmp_path):
    import random

    runner, curriculum = ready(run_config(shapes_folder, tmp_path))

    def state():
        loaders = [[draw] for draw in iter(runner.val_loop.dataloader.sampler)]
        return (
            copy.deepcopy(runner.model.state_dict()),
            copy.deepcopy(runner.optim_wrapper.state_dict()),
            [
                (module.training, parameter.grad)
                for module in runner.model.modules()
                for parameter in module.parameters()
            ],
            random.getstate(),
            np.random.get_state(),
            torch.get_rng_state(),
            [list(metric.results) for metric in runner.val_loop.evaluator.metrics],
            [dict(metric._metrics) for metric in runner.val_loop.evaluator.metrics],
            [[dict(loss.counts) for loss in runner.model.losses_of(name)] for name in runner.model.peer_names],
            loaders,
        )

    before = state()
    names = rehearse(runner, curriculum)
    assert not list(differences(before, state()))
    assert 'ensemble/mIoU' in names
    assert 'left/mIoU' in names


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'decode_head.in_channels': 7}, 'RuntimeError'),
        ({'data_preprocessor.size': None}, 'AssertionError.*size_divisor'),
    ],
)
def test_a_peer_that_cannot_learn_is_named(shapes_folder, tmp_path, changes, reason):
    settings = {f'model.peers.right.{key}': value for key, value in changes.items()}
    with pytest.raises(ValueError, match=f"peer 'right' cannot learn from 2 images .*{reason}"):
        rehearsed(shapes_folder, tmp_path, **settings)


@pytest.mark.parametrize(
    ('broken', 'kind'), [('_plain', 'ground truth'), ('_weighted', 'pseudo labels')], ids=['plain', 'weighted']
)
@pytest.mark.parametrize('phase', ['OFFLINE', 'ONLINE'])
def test_the_loss_of_every_kind_of_batch_is_taken(shapes_folder, tmp_path, monkeypatch, broken, kind, phase):
    def fail(*arguments):
        raise RuntimeError(f'not of {kind}')

    phases = [{'iters': 4, 'labeled': 4}, {**globals()[phase], 'iters': 5}]
    monkeypatch.setattr(rehearsal.DynamicMutualLoss, broken, fail)
    with pytest.raises(ValueError, match=f"peer 'left' cannot learn from .*not of {kind}"):
        rehearsed(shapes_folder, tmp_path, **{HOOK + 'phases': phases})


@MODELS.register_module(force=True)
class PresenceHead(FCNHead):
    """A head that learns, beside the pixels, which classes an image shows."""

    def loss_by_feat(self, seg_logits, batch_data_samples):
        losses = super().loss_by_feat(seg_logits, batch_data_samples)
        label = self._stack_batch_gt(batch_data_samples)
        shown = torch.stack([(label == one).flatten(1).any(1) for one in range(3)], 1).float()
        predicted = seg_logits.mean((2, 3))
        losses['loss_presence'] = torch.nn.functional.binary_cross_entropy_with_logits(predicted, shown)
        return losses


@MODELS.register_module(force=True)
class RegularizedHead(FCNHead):
    """A head with a second loss that no label enters."""

    def loss_by_feat(self, seg_logits, batch_data_samples):
        return {**super().loss_by_feat(seg_logits, batch_data_samples), 'loss_size': seg_logits.square().mean()}


OFFLINE = {'iters': 4, 'labeled': 2, 'pseudo': 2, 'label_ratio': 0.5}
ONLINE = {'iters': 5, 'labeled': 2, 'pseudo': 2, 'online': {'labeler': 'weights'}}


@pytest.mark.parametrize(
    'phases',
    [[OFFLINE, {**OFFLINE, 'iters': 5}], [{**ONLINE, 'iters': 9}], [OFFLINE, ONLINE]],
    ids=['offline', 'online', 'both'],
)
def test_a_second_loss_that_learns_from_pseudo_labels_is_refused(shapes_folder, tmp_path, phases):
    settings = {'model.peers.left.decode_head.type': 'PresenceHead', HOOK + 'phases': phases}
    with pytest.raises(ValueError, match="Peer 'left' computes decode.loss_presence from pseudo labels"):
        rehearsed(shapes_folder, tmp_path, **settings)


@pytest.mark.parametrize('phases', [[OFFLINE, {**OFFLINE, 'iters': 5}], [OFFLINE, ONLINE]], ids=['offline', 'both'])
def test_a_second_loss_without_labels_is_taken(shapes_folder, tmp_path, phases):
    rehearsed(
        shapes_folder, tmp_path, **{'model.peers.left.decode_head.type': 'RegularizedHead', HOOK + 'phases': phases}
    )


@TRANSFORMS.register_module(force=True)
class FlipImageAlone(BaseTransform):
    """What a transform does that knows no masks."""

    def transform(self, results):
        results['img'] = np.ascontiguousarray(results['img'][:, ::-1])
        return results


@TRANSFORMS.register_module(force=True)
class NeedsRealImages(BaseTransform):
    """Move the label alone, and only what a real image has."""

    def transform(self, results):
        if results['img_path'].endswith('.png'):
            results['gt_seg_map'] = np.ascontiguousarray(results['gt_seg_map'][:, ::-1])
        return results


def with_transform(root, work_dir, part, transform):
    config = run_config(root, work_dir)
    pipeline = [*TRAIN_PIPELINE[:-1], transform, TRAIN_PIPELINE[-1]]
    if part == 'unlabeled':
        pipeline[1], pipeline[-1] = {'type': 'mmdmt.LoadPseudoLabel'}, {'type': 'mmdmt.PackPseudoLabel'}
    config.train_dataloader.dataset[part].pipeline = pipeline
    return config


def test_a_transform_that_moves_a_label_without_its_confidence_is_named(shapes_folder, tmp_path):
    runner, curriculum = ready(with_transform(shapes_folder, tmp_path, 'unlabeled', {'type': 'NeedsRealImages'}))
    with pytest.raises(ValueError, match='NeedsRealImages in the pipeline of the unlabeled dataset moves'):
        rehearse(runner, curriculum)


@pytest.mark.parametrize('part', ['labeled', 'unlabeled'])
def test_one_warning_names_a_transform_that_is_not_known_to_move_masks(shapes_folder, tmp_path, part):
    runner, curriculum = ready(with_transform(shapes_folder, tmp_path, part, {'type': 'FlipImageAlone'}))
    check_training(runner, runner.model, curriculum, None)
    assert log_of(tmp_path).count('WARNING - FlipImageAlone in the training pipelines: make sure that masks are') == 1


COLORS = [
    {'type': 'PhotoMetricDistortion', 'brightness_delta': 120, 'contrast_range': (0.2, 2.0)},
    {'type': 'RandomCutOut', 'prob': 1.0, 'n_holes': 3, 'cutout_shape': (10, 10)},
    {'type': 'RGB2Gray'},
    {'type': 'AdjustGamma', 'gamma': 2.0},
]


@pytest.mark.parametrize('color', COLORS, ids=lambda color: color['type'])
def test_transforms_of_colors_are_no_moves(shapes_folder, tmp_path, color):
    runner, curriculum = ready(with_transform(shapes_folder, tmp_path, 'labeled', color))
    check_training(runner, runner.model, curriculum, None)
    rehearse(runner, curriculum)
    assert 'masks are moved' not in log_of(tmp_path)


def test_a_metric_that_the_evaluator_does_not_know_is_found(shapes_folder, tmp_path):
    with pytest.raises(ValueError, match='val_evaluator cannot judge a prediction .*mIOU'):
        rehearsed(shapes_folder, tmp_path, **{'val_evaluator.metric.iou_metrics': ['mIOU']})


def test_a_rehearsal_writes_nothing(shapes_folder, tmp_path):
    folder = tmp_path / 'predictions'
    rehearsed(shapes_folder, tmp_path / 'work', **{'val_evaluator.metric.output_dir': str(folder)})
    assert not list(folder.rglob('*.png'))
    assert not list((tmp_path / 'work').glob('.rehearsal*'))


def test_labels_made_online_are_rehearsed(shapes_folder, tmp_path, monkeypatch):
    labeled = []
    original = rehearsal.DynamicMutualTraining.label_online
    monkeypatch.setattr(
        rehearsal.DynamicMutualTraining,
        'label_online',
        lambda self, shares, *rest: (labeled.extend(shares), original(self, shares, *rest)),
    )
    rehearsed(shapes_folder, tmp_path, **{HOOK + 'phases': [{**ONLINE, 'iters': 9}]})
    assert labeled == ['left', 'right']


def test_without_a_validation_an_image_is_labeled(shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path)
    for key in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        config[key] = None
    assert rehearse(*ready(config)) is None


@pytest.mark.parametrize('wanted', [True, False])
def test_an_unknown_metric_of_save_best_is_refused_at_the_start(shapes_folder, tmp_path, wanted):
    settings = {'default_hooks.checkpoint.save_best': 'mDice', HOOK + 'rehearsal': wanted}
    runner = Runner.from_cfg(run_config(shapes_folder, tmp_path, **settings))
    with pytest.raises(ValueError, match='mDice.* must be one of what val_evaluator gives: choose one of .*left/mIoU'):
        runner.train()
    assert runner.iter == 0


def test_schedulers_and_early_stopping_get_the_name_of_the_ensemble(shapes_folder, tmp_path):
    scheduler = {'type': 'ReduceOnPlateauLR', 'monitor': 'mIoU', 'rule': 'greater', 'by_epoch': False, 'factor': 0.5}
    config = run_config(shapes_folder, tmp_path, param_scheduler=[scheduler])
    config.custom_hooks.append({'type': 'EarlyStoppingHook', 'monitor': 'mIoU'})
    runner, _ = ready(config)
    fit_metric_names(runner, ('left/mIoU', 'ensemble/mIoU'), ())
    assert runner.cfg.param_scheduler[0].monitor == 'ensemble/mIoU'
    assert [hook.monitor for hook in runner.hooks if hasattr(hook, 'monitor')] == ['ensemble/mIoU']
    config.param_scheduler[0].monitor = 'loss'
    runner.cfg.param_scheduler[0].monitor = 'loss'
    with pytest.raises(ValueError, match="monitor='loss' of param_scheduler must be one"):
        fit_metric_names(runner, ('left/mIoU', 'ensemble/mIoU'), ())


def test_other_classes_of_the_validation_are_seen(shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path)
    config.val_dataloader.dataset = shapes(shapes_folder, 'val.txt', pipeline=[{'type': 'LoadImageFromFile'}])
    with pytest.raises(ValueError, match='first image of val_dataloader|peers cannot predict'):
        rehearse(*ready(config))


def test_a_network_that_cannot_take_a_size_of_the_validation_is_told_what_to_set(shapes_folder, tmp_path):
    """The first image of the validation has 40x44 pixels; a U-Net of five stages needs sizes that 16 divides."""
    config = run_config(shapes_folder, tmp_path)
    stages = {'num_stages': 5, 'strides': (1,) * 5, 'enc_num_convs': (1,) * 5, 'enc_dilations': (1,) * 5}
    stages |= {'dec_num_convs': (1,) * 4, 'downsamples': (True,) * 4, 'dec_dilations': (1,) * 4}
    config.model.peers.left.backbone = {'type': 'UNet', 'base_channels': 4, 'norm_cfg': {'type': 'BN'}, **stages}
    config.model.peers.left.decode_head.update(in_channels=4, in_index=4)
    del config.model.peers.left['auxiliary_head']
    with pytest.raises(
        ValueError, match=r'images/016\.png of val_dataloader with 40x44 .*test_cfg=dict\(size_divisor=32'
    ):
        rehearse(*ready(config))
    config.model.peers.left.data_preprocessor.test_cfg = {'size_divisor': 32}
    config.experiment_name = 'divided'
    rehearse(*ready(config))
