import json
import shutil

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from toys.checkpoints import take_back
from toys.forked import server
from toys.segmentation import run_config, shapes, toy_segmentor
from toys.stages import hold_work_dir

from mmdmt.apis.export import export_peer
from mmdmt.labels.pixels.bank import PseudoLabelBank

pytestmark = pytest.mark.whole_run

HOOK = 'custom_hooks.0.'
WEIGHT = 'left.decode_head.conv_seg.weight'


class Recorder(Hook):
    """What a run looks like from outside, right after DMTHook has acted."""

    priority = 85

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        optimizer = runner.optim_wrapper['left'].optimizer
        self.seen.append(
            {
                'pseudo': ['pseudo_confidence' in sample for sample in data_batch['data_samples']],
                'peers': [sample.peer for sample in data_batch['data_samples']],
                'images': [sample.img_path[-7:-4] for sample in data_batch['data_samples']],
                'lr': optimizer.param_groups[0]['lr'],
                'momentum': len(optimizer.state),
                'weight': runner.model.left.decode_head.conv_seg.weight.detach().clone(),
            }
        )


def run(root, work_dir, **settings):
    runner = Runner.from_cfg(run_config(root, work_dir, **settings))
    recorder = Recorder()
    runner.register_hook(recorder)
    runner.train()
    return runner, recorder.seen


@pytest.fixture(scope='module')
def uninterrupted(shapes_folder, tmp_path_factory):
    """A whole run that keeps all its checkpoints and banks."""
    work_dir = tmp_path_factory.mktemp('uninterrupted')
    return work_dir, *run(shapes_folder, work_dir, **{HOOK + 'keep_banks': 0})


def test_every_batch_is_composed_as_its_phase_says(uninterrupted):
    _, _, seen = uninterrupted
    for iteration, batch in enumerate(seen):
        assert batch['peers'] == ['left'] * 4 + ['right'] * 4
        assert batch['pseudo'] == ([False] * 8 if iteration < 3 else [False, True, True, True] * 2)


def test_optimizers_and_schedules_start_afresh_in_every_phase(uninterrupted):
    _, _, seen = uninterrupted
    lrs = [batch['lr'] for batch in seen]
    decay = [0.01 * (1 - step / 2) ** 0.9 for step in range(3)]
    # Seen after the schedulers have stepped: a phase ends with the first rate of the next one.
    assert lrs == pytest.approx(decay[1:] + decay + decay + [0.0])
    assert [bool(batch['momentum']) for batch in seen] == [True, True, False, True, True, False, True, True, True]


def test_weights_carry_on(uninterrupted):
    work_dir, _, seen = uninterrupted
    checkpoint = torch.load(work_dir / 'iter_3.pth')
    assert checkpoint['state_dict']['left.decode_head.conv_seg.weight'].equal(seen[2]['weight'])
    assert (seen[3]['weight'] - seen[2]['weight']).abs().max() < 0.1


def test_each_learns_labels_of_the_other_as_it_was_at_the_phases_start(uninterrupted):
    from mmdmt.labels.labeling import weights_digest

    work_dir, runner, _ = uninterrupted
    (root,) = (work_dir / 'pseudo_labels').iterdir()
    for phase, iteration in ((1, 3), (2, 6)):
        state = torch.load(work_dir / f'iter_{iteration}.pth')['state_dict']
        runner.model.load_state_dict(state)
        for name, peer in runner.model.peers.items():
            manifest = PseudoLabelBank(root / f'phase_{phase}' / name).manifest
            assert manifest.weights == weights_digest(peer)
            assert manifest.label_ratio == {1: 0.5, 2: 1.0}[phase]
    plan = runner.train_dataloader.batch_sampler._plan
    assert {pool.peer: pool.bank.split('/')[-1] for pool in plan.pools} == {'left': 'right', 'right': 'left'}


def test_the_log_warns_of_no_registry_of_ours(uninterrupted):
    (log,) = uninterrupted[0].glob('*/*.log')
    assert 'Failed to search registry' not in log.read_text()


def test_metrics_are_logged_for_each_peer_and_the_ensemble(uninterrupted):
    work_dir, _, _ = uninterrupted
    (path,) = work_dir.glob('*/vis_data/scalars.json')
    scalars = [json.loads(line) for line in path.read_text().splitlines()]
    validations = [entry for entry in scalars if 'ensemble/mIoU' in entry]
    assert [entry['step'] for entry in validations] == [3, 6, 9]
    assert {'left/mIoU', 'right/mIoU', 'ensemble/mIoU', 'left/aAcc'} <= set(validations[0])
    trained = [entry for entry in scalars if 'left.decode.loss_dmt' in entry]
    assert len(trained) == 9
    assert ['left.mean_weight' in entry for entry in trained] == [False] * 3 + [True] * 6


@pytest.mark.parametrize(('iteration', 'workers'), [(1, 2), (3, 0), (4, 1), (5, 0), (6, 2), (8, 0)])
def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(
    uninterrupted, shapes_folder, tmp_path, iteration, workers
):
    work_dir, _, _ = uninterrupted
    take_back(work_dir, iteration, tmp_path)
    if iteration not in (3, 6):  # at the very start of a phase the labels can be made again
        shutil.copytree(work_dir / 'pseudo_labels', tmp_path / 'pseudo_labels')
    settings = {'resume': True, 'train_dataloader.num_workers': workers, HOOK + 'labeling.num_workers': workers}
    if workers == 1:
        settings['train_dataloader.persistent_workers'] = True
    _, seen = run(shapes_folder, tmp_path, **settings)
    assert len(seen) == 9 - iteration  # no past batch was read
    expected, got = (torch.load(folder / 'iter_9.pth') for folder in (work_dir, tmp_path))
    for key, value in expected['state_dict'].items():
        assert value.equal(got['state_dict'][key]), key
    assert str(expected['optimizer']) == str(got['optimizer'])
    assert expected['param_schedulers'] == got['param_schedulers']


def test_masks_of_unlabeled_images_change_nothing(uninterrupted, shapes_folder, tmp_path):
    with_masks = {'img_path': 'images', 'seg_map_path': 'masks'}
    run(shapes_folder, tmp_path, **{'train_dataloader.dataset.unlabeled.data_prefix': with_masks})
    expected, got = (torch.load(folder / 'iter_9.pth')['state_dict'] for folder in (uninterrupted[0], tmp_path))
    assert all(value.equal(got[key]) for key, value in expected.items())


class Crash(Hook):
    """Stop a run right after a phase change, before its checkpoint is written."""

    priority = 85

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if batch_idx + 1 == self.iteration:
            raise KeyboardInterrupt


@pytest.mark.parametrize('iteration', [3, 6])
def test_a_crash_between_phase_change_and_checkpoint_loses_nothing(uninterrupted, shapes_folder, tmp_path, iteration):
    runner = Runner.from_cfg(run_config(shapes_folder, tmp_path))
    runner.register_hook(Crash(iteration))
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    _, seen = run(shapes_folder, tmp_path, resume=True)
    assert len(seen) == 9 - iteration  # the phase change has written one of its own
    expected, got = (torch.load(folder / 'iter_9.pth')['state_dict'] for folder in (uninterrupted[0], tmp_path))
    assert all(value.equal(got[key]) for key, value in expected.items())


def test_a_second_run_in_the_same_work_dir_is_refused(shapes_folder, tmp_path):
    context = server()
    ours, theirs = context.Pipe()
    other = context.Process(target=hold_work_dir, args=(tmp_path, theirs))
    other.start()
    assert ours.recv() == 'locked'
    with pytest.raises(RuntimeError, match='Another run is writing to work_dir='):
        run(shapes_folder, tmp_path)
    ours.send('end')
    other.join()
    run(shapes_folder, tmp_path)
    run(shapes_folder, tmp_path)  # the folder was given back


def test_old_banks_are_removed(shapes_folder, tmp_path):
    run(shapes_folder, tmp_path)
    (root,) = (tmp_path / 'pseudo_labels').iterdir()
    assert [folder.name for folder in root.iterdir()] == ['phase_2']


@pytest.mark.parametrize(('kept', 'banks'), [(-1, {'phase_1', 'phase_2'}), (1, {'phase_2'})])
def test_banks_stay_as_long_as_a_checkpoint_needs_them(shapes_folder, tmp_path, kept, banks):
    found = []

    class Look(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            found.append({path.name for path in tmp_path.glob('pseudo_labels/*/*')})

    runner = Runner.from_cfg(run_config(shapes_folder, tmp_path, **{'default_hooks.checkpoint.max_keep_ckpts': kept}))
    runner.register_hook(Look())
    runner.train()
    assert found[-1] == banks
    # At the end no coming phase reads them.
    assert {path.name for path in tmp_path.glob('pseudo_labels/*/*')} == {'phase_2'}


def test_nothing_is_written_outside_the_work_dir(shapes_folder, tmp_path, monkeypatch):
    def files():
        return {path: path.stat().st_mtime_ns for path in shapes_folder.rglob('*')}

    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    before = files()
    run(shapes_folder, tmp_path / 'work')
    assert files() == before
    assert not list((tmp_path / 'elsewhere').iterdir())


def test_one_peer_teaches_itself(shapes_folder, tmp_path):
    runner, seen = run(
        shapes_folder, tmp_path, **{'model.peers': {'_delete_': True, 'left': toy_segmentor()}, HOOK + 'keep_banks': 0}
    )
    (pool,) = runner.train_dataloader.batch_sampler._plan.pools
    assert pool.bank.endswith('phase_2/left')
    assert seen[-1]['pseudo'] == [False, True, True, True]


def test_a_phase_sets_its_learning_rate_by_value_or_factor(shapes_folder, tmp_path):
    phases = [
        {'iters': 1, 'labeled': 4, 'lr': 0.5},
        {'iters': 1, 'labeled': 4, 'lr_factor': 0.25},
        {'iters': 1, 'labeled': 4},
    ]
    settings = {HOOK + 'phases': phases, 'train_cfg.max_iters': 3, 'param_scheduler': None}
    _, seen = run(shapes_folder, tmp_path, **settings)
    assert [batch['lr'] for batch in seen] == [0.0025, 0.01, 0.01]  # seen at the phase's end: that of the next


def test_peers_warm_up_on_their_own_part_of_the_labeled_set(shapes_folder, tmp_path):
    lists = {'left': ['000', '001', '002'], 'right': ['002', '003']}
    for name, names in lists.items():
        (tmp_path / f'{name}.txt').write_text('\n'.join(names))
    parts = {name: str(tmp_path / f'{name}.txt') for name in lists}
    phases = [
        {'iters': 3, 'labeled': 4, 'labeled_lists': parts},
        {'iters': 3, 'labeled': 2, 'pseudo': 2, 'label_ratio': 1.0},
    ]
    _, seen = run(shapes_folder, tmp_path / 'work', **{HOOK + 'phases': phases, 'train_cfg.max_iters': 6})
    drawn = {name: set() for name in lists}
    later = set()
    for iteration, batch in enumerate(seen):
        for peer, image, pseudo in zip(batch['peers'], batch['images'], batch['pseudo'], strict=True):
            if iteration < 3:
                drawn[peer].add(image)
            elif not pseudo:
                later.add(image)
    assert drawn == {name: set(names) for name, names in lists.items()}
    assert later == {f'{n:03d}' for n in range(6)}


def test_the_best_weights_of_a_phase_are_carried(shapes_folder, tmp_path):
    # A learning rate that soon ruins the network: the best of every phase is not the last.
    settings = {HOOK + 'carry': 'best', 'train_cfg.val_interval': 1, 'optim_wrapper.optimizer.lr': 3.0}
    runner, _ = run(shapes_folder, tmp_path, **settings)
    (path,) = tmp_path.glob('*/vis_data/scalars.json')
    scores = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if 'left/mIoU' in entry:
            scores.setdefault(entry['step'], entry['left/mIoU'])
    best = max(scores[step] for step in (1, 2, 3))
    hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'DMTHook')
    kept = next((tmp_path / 'best_weights').glob('*/phase_0/left.pth'))
    carried = torch.load(tmp_path / 'iter_3.pth')['state_dict']['left.decode_head.conv_seg.weight']
    assert torch.load(kept)['decode_head.conv_seg.weight'].equal(carried)
    assert scores[3] <= best
    assert hook.best.scores['left'] >= 0


@pytest.mark.parametrize('iteration', [2, 3, 5])
def test_a_run_that_carries_the_best_resumes_exactly(shapes_folder, tmp_path, iteration):
    settings = {HOOK + 'carry': 'best', HOOK + 'keep_banks': 0, 'train_cfg.val_interval': 1}
    run(shapes_folder, tmp_path, **settings)
    expected = torch.load(tmp_path / 'iter_9.pth')['state_dict']
    take_back(tmp_path, iteration)
    run(shapes_folder, tmp_path, resume=True, **settings)
    got = torch.load(tmp_path / 'iter_9.pth')['state_dict']
    assert all(value.equal(got[key]) for key, value in expected.items())


def test_a_checkpoint_never_holds_weights_of_a_later_iteration(shapes_folder, tmp_path):
    """The validation before the best is carried on makes MMEngine write the last checkpoint again."""
    best = {'default_hooks.checkpoint.save_best': 'ensemble/mIoU', 'default_hooks.checkpoint.rule': 'greater'}
    run(shapes_folder, tmp_path, **best, **{HOOK + 'carry': 'best', 'train_cfg.val_interval': 1})
    for iteration in (1, 2):
        state = torch.load(tmp_path / f'iter_{iteration}.pth')['state_dict']
        assert state['left.backbone.bn1.num_batches_tracked'] == iteration


def test_a_lost_bank_stops_a_run_in_the_middle_of_a_phase(uninterrupted, shapes_folder, tmp_path):
    take_back(uninterrupted[0], 4, tmp_path)
    with pytest.raises(FileNotFoundError, match='phase_1/left is incomplete .*resume the run from'):
        run(shapes_folder, tmp_path, resume=True)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda c: c['state_dict'].pop(WEIGHT), f'lacks 1 tensors of the model, first {WEIGHT!r}'),
        (lambda c: c['state_dict'].update({WEIGHT: c['state_dict'][WEIGHT].half()}), 'in another shape or type'),
        (
            lambda c: c['state_dict'][WEIGHT].view(-1)[5:6].fill_(torch.nan),
            f'has NaN or infinite numbers in {WEIGHT!r}',
        ),
        (lambda c: c.pop('dmt'), 'not written by a run with DMTHook'),
        (lambda c: c.pop('param_schedulers'), r'has no param_schedulers: .*save_param_scheduler=False'),
        (lambda c: c['dmt'].update(run='../../home'), 'no sound name of a run'),
        (lambda c: c['meta'].update(iter='one'), 'tells no iteration'),
        (lambda c: c.update(ema_state_dict={}), 'averages as its weights, but the config has no EMAHook'),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_not_resumed(uninterrupted, shapes_folder, tmp_path, change, words):
    checkpoint = torch.load(uninterrupted[0] / 'iter_2.pth')
    change(checkpoint)
    torch.save(checkpoint, tmp_path / 'given.pth')
    with pytest.raises(ValueError, match=f'given.pth, the checkpoint to resume, .*{words}'):
        run(shapes_folder, tmp_path, resume=True, load_from=str(tmp_path / 'given.pth'))


def test_changed_optimizers_are_told_and_count_from_the_next_phase_on(uninterrupted, shapes_folder, tmp_path):
    take_back(uninterrupted[0], 2, tmp_path)
    changed = {
        'optim_wrapper.optimizer.lr': 0.02,
        'param_scheduler': [{'type': 'PolyLR', 'power': 1.0, 'by_epoch': False}],
    }
    _, seen = run(shapes_folder, tmp_path, resume=True, **changed)
    # Seen after the schedulers have stepped: phase 0 ended with the first rate of phase 1, which is the config's.
    assert [batch['lr'] for batch in seen] == pytest.approx([0.02, 0.01, 0.0, 0.02, 0.01, 0.0, 0.0])
    (log,) = tmp_path.glob('*/*.log')
    (told,) = [
        line for line in log.read_text().splitlines() if 'count from phase 1 on, which begins at iteration 3' in line
    ]
    assert 'optim_wrapper.optimizer.lr=0.02 (it had 0.01), param_scheduler.0.power=1.0 (it had 0.9).' in told


def test_phases_that_have_passed_cannot_change_and_coming_ones_can(uninterrupted, shapes_folder, tmp_path):
    take_back(uninterrupted[0], 2, tmp_path)
    warm_up, first, second = run_config(shapes_folder, tmp_path).custom_hooks[0].phases
    longer = {HOOK + 'phases': [{**warm_up, 'iters': 4}, first, second], 'train_cfg.max_iters': 10}
    with pytest.raises(ValueError, match=r'end at \[3, 6, 9\], these end at \[4, 7, 10\]'):
        run(shapes_folder, tmp_path, resume=True, **longer)
    more = {HOOK + 'phases': [warm_up, first, {**second, 'iters': 1}], 'train_cfg.max_iters': 7}
    _, seen = run(shapes_folder, tmp_path, resume=True, **more)
    assert len(seen) == 5
    logs = [log.read_text() for log in tmp_path.glob('*/*.log')]
    assert any('phases.2.iters=1 (it had 3).' in log for log in logs)


def test_the_label_ratio_of_the_present_phase_cannot_change(uninterrupted, shapes_folder, tmp_path):
    take_back(uninterrupted[0], 4, tmp_path)
    shutil.copytree(uninterrupted[0] / 'pseudo_labels', tmp_path / 'pseudo_labels')
    with pytest.raises(ValueError, match=r'phases.1.label_ratio=0.9 \(it had 0.5\), .*set it back'):
        run(shapes_folder, tmp_path, resume=True, **{HOOK + 'phases.1.label_ratio': 0.9})


def test_an_unchanged_config_is_resumed_without_a_word(uninterrupted, shapes_folder, tmp_path):
    take_back(uninterrupted[0], 8, tmp_path)
    shutil.copytree(uninterrupted[0] / 'pseudo_labels', tmp_path / 'pseudo_labels')
    run(shapes_folder, tmp_path, resume=True, **{HOOK + 'keep_banks': 0})
    (log,) = tmp_path.glob('*/*.log')
    assert 'differ from those' not in log.read_text()


def test_load_from_takes_weights_and_starts_at_the_beginning(uninterrupted, shapes_folder, tmp_path):
    _, seen = run(shapes_folder, tmp_path, load_from=str(uninterrupted[0] / 'iter_9.pth'))
    assert len(seen) == 9


def misfits(root):
    """Settings that fit nothing, and the words of the sentence about each."""
    four_classes = {'classes': tuple('abcd'), 'palette': [[0] * 3] * 4}
    return [
        ({'train_cfg.max_iters': 10}, r'is 10 in train_cfg.max_iters, but 9 in the phases of DMTHook \(3 \+ 3 \+ 3\)'),
        ({'train_cfg': {'_delete_': True, 'by_epoch': True, 'max_epochs': 1}, 'param_scheduler': None}, 'EpochBased'),
        (
            {'model': {**toy_segmentor(), '_delete_': True}, 'optim_wrapper.constructor': None},
            "model is 'EncoderDecoder'",
        ),
        ({'optim_wrapper.constructor': 'DefaultOptimWrapperConstructor'}, "constructor='mmdmt.PeerOptimWrapper"),
        ({'param_scheduler.0.by_epoch': True}, 'counts epochs'),
        ({'param_scheduler.0.begin': 3}, 'begins at iteration 3, but a phase has only 3'),
        (
            {'train_dataloader.batch_size': 6},
            r'is 6 in train_dataloader.batch_size, but 4 in phases\[0\] \(labeled=4, pseudo=0\)',
        ),
        ({'train_dataloader.batch_sampler': None}, 'add batch_sampler=.*mmdmt.MutualBatchSampler'),
        ({'train_dataloader.dataset': {**shapes(root, 'labeled.txt'), '_delete_': True}}, "is 'BaseSegDataset'"),
        (
            {'train_dataloader.dataset.labeled.metainfo': four_classes},
            'num_classes is 3 in .* but 4 in the labeled dataset',
        ),
        ({HOOK + 'phases.0.labeled_lists': {'middle': 'x.txt'}}, r"is 'middle' in phases\[0\].labeled_lists"),
        (
            {HOOK + 'carry': 'best', 'val_cfg': None, 'val_dataloader': None, 'val_evaluator': None},
            'but nothing in val_evaluator',
        ),
    ]


@pytest.mark.parametrize('number', range(12))
def test_what_does_not_fit_stops_before_anything_runs(shapes_folder, tmp_path, number):
    settings, words = misfits(shapes_folder)[number]
    config = run_config(shapes_folder, tmp_path, **settings)
    if config.optim_wrapper.get('constructor') is None:
        config.optim_wrapper.pop('constructor', None)
    with pytest.raises(ValueError, match=words):
        Runner.from_cfg(config).train()
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'carry': 'first'}, "carry='first'"),
        ({'keep_banks': -1}, 'keep_banks=-1'),
        ({'labeling': {'batchsize': 3}}, 'batchsize'),
        ({'phases': []}, 'at least one phase'),
    ],
)
def test_wrong_settings_of_the_hook_are_refused(settings, words):
    from mmdmt.engine import DMTHook

    with pytest.raises(ValueError, match=words):
        DMTHook(**{'phases': [{'iters': 1, 'labeled': 1}], **settings})


def test_a_metric_that_is_not_there_is_named(shapes_folder, tmp_path):
    with pytest.raises(
        ValueError, match="is 'mDice' in carry_metric .* but 'aAcc', 'mIoU', 'mAcc' in val_evaluator: choose"
    ):
        run(shapes_folder, tmp_path, **{HOOK + 'carry': 'best', HOOK + 'carry_metric': 'mDice'})


def test_the_best_weights_of_the_last_phase_are_a_checkpoint(shapes_folder, tmp_path):
    settings = {HOOK + 'carry': 'best', 'train_cfg.val_interval': 1, 'optim_wrapper.optimizer.lr': 3.0}
    runner, _ = run(shapes_folder, tmp_path, **settings)
    result = torch.load(tmp_path / 'best_of_last_phase.pth')
    (kept,) = (tmp_path / 'best_weights').glob('*/phase_2')
    model = runner.model
    assert result['state_dict'].keys() == model.state_dict().keys()
    for name in ('left', 'right'):
        for key, value in torch.load(kept / f'{name}.pth').items():
            assert value.equal(result['state_dict'][f'{name}.{key}'])
    assert result['meta']['scores'] == next(h for h in runner.hooks if type(h).__name__ == 'DMTHook').best.scores
    # It was the best: validated again, it has the score that stands in the file.
    model.load_state_dict(result['state_dict'])
    metrics = runner.val_loop.run()
    for name, score in result['meta']['scores'].items():
        assert metrics[f'{name}/mIoU'] == score
    _, exported = export_peer(runner.cfg, result, 'left')
    assert exported['state_dict']['decode_head.conv_seg.weight'].equal(
        result['state_dict']['left.decode_head.conv_seg.weight']
    )


def test_a_finished_run_that_carries_the_best_is_resumed_in_its_place(shapes_folder, tmp_path, monkeypatch):
    settings = {HOOK + 'carry': 'best'}
    run(shapes_folder, tmp_path / 'work', **settings)
    expected = torch.load(tmp_path / 'work' / 'best_of_last_phase.pth')['state_dict']
    monkeypatch.chdir(tmp_path)
    run(shapes_folder, tmp_path / 'work', resume=True, **settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['work']
    got = torch.load(tmp_path / 'work' / 'best_of_last_phase.pth')['state_dict']
    assert all(value.equal(got[key]) for key, value in expected.items())
