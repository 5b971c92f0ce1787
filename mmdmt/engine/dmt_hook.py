"""Move a run from one phase to the next: label, start optimizers afresh, train."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import barrier, get_rank, is_main_process
from mmengine.hooks import Hook, LoggerHook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.best_weights import BestWeights
from mmdmt.engine.events import RunEvents
from mmdmt.engine.fresh_optimizers import FreshOptimizers
from mmdmt.engine.metric_names import fit_metric_names, known_names
from mmdmt.engine.peers_of_run import Averages, bare_model, seed_everything, share_buffers, start_from_scratch
from mmdmt.engine.phase_labels import PhaseLabels
from mmdmt.engine.phase_loop import PhaseLoader, plan_phase_ends, validate_now, validates_at
from mmdmt.engine.rehearsal import rehearse
from mmdmt.engine.resume import confine, settings_of, settle
from mmdmt.engine.run_lock import enter_work_dir
from mmdmt.engine.run_record import RunRecord, note_checkpoints, save_checkpoint
from mmdmt.engine.start_checks import check_evaluated, check_start, check_tested
from mmdmt.engine.stop import CleanStop, LossWatch, leave_group_at_exit
from mmdmt.method.phases import COUNT, PHASE_WORDS, Curriculum
from mmdmt.models.starting_weights import rename_weights
from mmdmt.registry import HOOKS
from mmdmt.settings import Choice, check_settings
from mmdmt.stop_signal import SIGNAL


@HOOKS.register_module()
class DMTHook(Hook):
    """Run Dynamic Mutual Training: label, train, and label again with what was learned.

    Note:
        Every phase is validated at its end, with the weights that label for the next. Pseudo labels go to
        ``<work_dir>/pseudo_labels/<run>/``. After a labeling the hook calls ``after_labeling(runner)`` of every hook
        that has it, and ``before_online_phase(runner)`` when a phase with labels online begins; the peers hold the
        weights that label.

        With MMEngine's ``EMAHook`` the averaged weights label and are validated; ``carry='last'`` carries both on, the
        others begin the averages anew.

    Args:
        phases (Sequence[dict], optional): The arguments of each :class:`~mmdmt.method.phases.Phase`. Defaults to None:
            said by the last eight arguments.
        carry (str): The weights each peer takes into the next phase: ``'last'``; ``'best'``, those of its best
            validation during the phase (those of the last phase go to ``<work_dir>/best_of_last_phase.pth``); or
            ``'scratch'``, those of its config, with other random numbers. Defaults to ``'last'``.
        carry_metric (str): Best is the greatest ``<peer>/<carry_metric>`` of the validation. Defaults to ``'mIoU'``.
        labeling (dict, optional): ``batch_size`` (1 if not given) and ``num_workers`` (2) of it. Defaults to None.
        keep_banks (int): For how many phases the pseudo labels are kept, back from that of the latest checkpoint, which
            needs them to be resumed; 0 for all. Defaults to 1.
        stop_after_nan (int): After how many iterations in a row with a loss that is NaN or infinite the run stops; 0
            never stops. Defaults to 10.
        rare_classes (dict, optional): Draw labeled images by class, the rare ones oftener, with the arguments of
            :class:`~mmdmt.method.draws.RareClasses`. Defaults to None, shuffled passes through all of them.
        rehearsal (bool): Whether the run is rehearsed, see :func:`~mmdmt.engine.rehearsal.rehearse`. Defaults to True.
        map_classes (bool): Whether the ids of validated and tested masks are mapped by the names of their classes,
            where these stand in another order than those of the labeled images. Defaults to False: that is refused.
        warm_up, iters, labeled, pseudo, ratios, online, lr_factor, warm_up_lists: In place of ``phases``, as
            :meth:`Curriculum.compact <mmdmt.method.phases.Curriculum.compact>` takes them. Default to None, its own.

    Raises:
        ValueError: If the settings make no run, here or when the run starts.
    """

    priority = 80  # after the parameter schedulers (LOW, 70), before the checkpoints (VERY_LOW, 90)
    SETTINGS = {'carry': Choice('last', 'best', 'scratch'), 'keep_banks': COUNT, 'stop_after_nan': COUNT}

    def __init__(
        self,
        phases: Sequence[Mapping[str, Any]] | None = None,
        carry: str = 'last',
        carry_metric: str = 'mIoU',
        labeling: Mapping[str, Any] | None = None,
        keep_banks: int = 1,
        stop_after_nan: int = 10,
        rare_classes: Mapping[str, Any] | None = None,
        rehearsal: bool = True,
        map_classes: bool = False,
        *,
        warm_up: int | None = None,
        iters: int | Sequence[int] | None = None,
        labeled: int | None = None,
        pseudo: int | None = None,
        ratios: Sequence[float] | None = None,
        online: Mapping[str, Any] | None = None,
        lr_factor: float | None = None,
        warm_up_lists: Mapping[str, str] | None = None,
    ) -> None:
        arguments = dict(locals())
        given = {word: arguments[word] for word in PHASE_WORDS if word != 'phases' and arguments[word] is not None}
        if (phases is None) == (not given):
            raise ValueError(
                f'DMTHook needs its phases in one form, got {" and ".join(["phases", *given]) if given else "none"}: '
                'give warm_up, iters, labeled and pseudo, or phases=[dict(...), ...]; a config that inherits one of '
                "them replaces the whole hook: custom_hooks=[dict(type='mmdmt.DMTHook', ...)]."
            )
        self.curriculum = Curriculum.compact(**given) if phases is None else Curriculum.from_configs(phases)
        check_settings(self, arguments)
        self.labels = PhaseLabels(self.curriculum, labeling or {}, keep_banks, rare_classes)
        self.rehearsal, self.map_classes = rehearsal, map_classes
        self.best = BestWeights(str(carry_metric)) if carry == 'best' else None
        self.from_scratch = carry == 'scratch'
        self.phase, self.run_id, self.work_dir = 0, '', Path()
        self._seen: Mapping[str, Tensor] = {}
        self._loss_watch, self._stop = LossWatch(stop_after_nan), CleanStop()
        self._events, self._record = RunEvents(), RunRecord(Path(), None)

    # What MMEngine calls, in the order in which it calls it.

    def before_run(self, runner: Runner) -> None:
        """Check that model, data, optimizer and loop fit the phases, before anything else happens."""
        self.model, self.work_dir = bare_model(runner.model), Path(runner.work_dir)
        if not isinstance(runner.optim_wrapper, OptimWrapper):  # not built: the run only tests
            check_evaluated(runner, self.model, self.map_classes)
            return
        self._events.open(runner.log_dir, runner.logger)
        metric = None if self.best is None else self.best.metric
        check_start(runner, self.model, self.curriculum, metric, self.map_classes)
        if is_main_process():
            self._stop.lock = enter_work_dir(self.work_dir)
        self._stop.guard(runner)
        barrier()
        self._record, iteration = settle(runner, self.model, self.curriculum)
        self._averages = Averages(runner.hooks)
        self._averages.unwrap()
        self.labels.count_classes(runner.train_dataloader.dataset)
        schedules = None if runner.param_schedulers is None else runner.cfg.param_scheduler
        self._optimizers = FreshOptimizers(runner.optim_wrapper, schedules, self.curriculum.phases)
        self._optimizers.restart(runner, self.curriculum[self.curriculum.at(iteration)])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take the state of the run out of a checkpoint that it is resumed from."""
        confine(checkpoint, self._record)
        if runner._resume and not self.run_id:
            self.run_id = checkpoint['dmt']['run']
            self._seen = checkpoint['dmt'].get('seen', {})
            if self.best is not None:
                self.best.scores = dict(checkpoint['dmt']['best'])
        elif isinstance(runner.optim_wrapper, OptimWrapper):
            rename_weights(checkpoint, self.model.peer_names)
        else:
            check_tested(runner, checkpoint.get('meta', {}).get('dataset_meta') or {}, self.map_classes)

    def before_train(self, runner: Runner) -> None:
        """Enter the phase of the first iteration, which is not the first of all when a run is resumed."""
        iteration = runner.train_loop.iter
        for hook in runner.hooks:
            if isinstance(hook, LoggerHook):  # at least two lines a phase
                hook.interval = min(hook.interval, max(1, min(phase.iters for phase in self.curriculum.phases) // 2))
        self._stop.start(runner)
        rehearsed = self.rehearsal and iteration < self.curriculum.total_iters
        names = rehearse(runner, self.curriculum) if rehearsed else known_names(runner.val_loop, self.model)
        if names:
            fit_metric_names(runner, names, self.best.keys(self.model.peer_names) if self.best is not None else ())
        self.run_id = self.run_id or runner.timestamp
        if is_main_process():
            self._record.begin(self.run_id, settings_of(runner.cfg, self.curriculum), iteration)
        self.labels.begin(self.work_dir, self.run_id)
        note_checkpoints(runner, self._record, then=lambda: self.labels.remove(self._record.oldest or 0))
        for name, peer in self.model.peers.items():
            runner.optim_wrapper[name].initialize_count_status(peer, iteration, self.curriculum.total_iters)
        runner.train_loop.dataloader_iterator = PhaseLoader(runner.train_dataloader, skipped=iteration)
        plan_phase_ends(runner.train_loop, self.curriculum.ends, due=self.best is None and not self.from_scratch)
        self._events.start(runner, self.curriculum, self.run_id)
        self._enter(self.curriculum.at(iteration), iteration)
        if iteration < self.curriculum.total_iters:
            at_its_start = iteration == self.curriculum.start(self.phase)
            if at_its_start and not (iteration and self.from_scratch):  # those who labeled are gone then
                self._label(runner)
            self._begin(runner, iteration)

    def before_train_epoch(self, runner: Runner) -> None:
        """Validate a resumed run if it may have been killed before: checkpoints are written before validation."""
        iteration = runner.train_loop.iter
        if iteration and runner.val_loop is not None and validates_at(runner.train_loop, iteration):
            runner.val_loop.run()  # only now, when every hook knows what it had kept of the best

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the iteration."""
        self._stop.done = batch_idx
        self._stop.end_after_iteration()
        seed_everything(runner.seed, batch_idx, get_rank())
        done = batch_idx + 1 - self.curriculum.start(self.phase)
        self.model.set_progress(done / self.curriculum[self.phase].iters)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Move to the next phase after the last iteration of one."""
        if outputs is not None:
            self._loss_watch.see(batch_idx, outputs)
        self._stop.done = iteration = batch_idx + 1
        if iteration == self.curriculum.ends[self.phase] and iteration < self.curriculum.total_iters:
            self._enter_next_phase(runner, iteration)

    def before_val(self, runner: Runner) -> None:
        """Share buffers, so that every process validates the same peers."""
        SIGNAL.is_writing = False
        share_buffers(self.model)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence[Any] | None = None
    ) -> None:
        """End the run if a signal has come."""
        self._stop.end_amid_validation()

    def after_train(self, runner: Runner) -> None:
        """Write down what the run has come to, and let data workers and work_dir go."""
        runner.train_loop.dataloader_iterator.restart()
        self._events.end(runner.train_loop.iter)
        if is_main_process():
            if self.best is not None:
                self.best.write_result(runner, self.model.bare_peers)
            self.labels.remove(runner.iter)

    def after_run(self, runner: Runner) -> None:
        """Prepare for the end of the process."""
        leave_group_at_exit()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Remember each peer's weights if they are its best of the phase, and write the results down."""
        if not metrics:
            return
        values: dict[str, Any] = dict(metrics)
        reliability: dict[str, Any] = {}
        for metric in runner.val_loop.evaluator.metrics:
            values |= getattr(metric, 'class_iou', {})
            reliability |= getattr(metric, 'reliability', {})
        self._events.write('validation', iteration=runner.iter, values=values, reliability=reliability)
        if self.best is not None:
            with self._averages.in_place():
                self.best.update(self.model.bare_peers, metrics)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the state of the run into a checkpoint."""
        SIGNAL.is_writing = True
        checkpoint['dmt'] = {
            'run': self.run_id,
            'phase': self.phase,
            'ends': list(self.curriculum.ends),
            'best': self.best.scores if self.best is not None else {},
        }
        if self.model.online is not None:
            checkpoint['dmt']['seen'] = {name: counts.cpu() for name, counts in self.model.online.seen.items()}

    # What a phase change involves.

    def _enter(self, phase: int, iteration: int) -> None:
        self.phase = phase
        if self.best is not None:
            self.best.folder = self.work_dir / 'best_weights' / self.run_id / f'phase_{phase}'
        if iteration < self.curriculum.total_iters:
            self._events.write('phase', phase=phase, iteration=iteration)

    def _enter_next_phase(self, runner: Runner, iteration: int) -> None:
        """Carry weights on, label, start everything afresh, and write a checkpoint of it."""
        if self.best is not None or (self.from_scratch and iteration >= runner.train_loop.val_begin):
            with self._stop.phase_changes():
                validate_now(runner, iteration)  # before weights are replaced
        if self.best is not None:
            self.best.carry(self.model.bare_peers, runner.logger)
            self._averages.restart()
        self._enter(self.phase + 1, iteration)
        # A run that is resumed from a checkpoint without labels makes them, if those who label are in it.
        saves_first = not self.from_scratch and (self.best is None or SIGNAL.number is not None)
        if not saves_first:
            self._label(runner)
        if self.from_scratch:
            start_from_scratch(self.model, self.phase, runner.seed, runner.logger)
            self._averages.restart()
        self._optimizers.restart(runner, self.curriculum[self.phase])
        save_checkpoint(runner, iteration)
        if saves_first:
            self._label(runner)
        self._begin(runner, iteration)

    def _label(self, runner: Runner) -> None:
        """Label the unlabeled images for the present phase, unless that happens online."""
        SIGNAL.is_writing = False
        if told := self.labels.make(runner, self.phase):
            self._events.write('labels', phase=self.phase, iteration=self.curriculum.start(self.phase), values=told)

    def _begin(self, runner: Runner, iteration: int) -> None:
        """Draw from what the present phase trains on, from an iteration on."""
        phase, start = self.curriculum[self.phase], self.curriculum.start(self.phase)
        which = f'Phase {self.phase} ({self.phase + 1} of {len(self.curriculum)})'
        runner.logger.info(f'{which}, iterations {start} to {self.curriculum.ends[self.phase]}: {phase.kind}.')
        dataset = runner.train_dataloader.dataset
        if phase.has_bank:
            self.labels.check(self.model, dataset, self.phase)
        self.model.begin_phase(phase, self._averages.peers)
        if self.model.online is not None and iteration > start:
            self.model.online.seen = dict(self._seen)
        plan = self.labels.plan(self.model, dataset, self.phase, runner.seed)
        runner.train_dataloader.batch_sampler.start(plan, iteration)
        runner.train_loop.dataloader_iterator.restart()
        if phase.online is not None and iteration == start:
            runner.call_hook('before_online_phase')
