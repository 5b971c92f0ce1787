"""Move a run from one phase to the next: label, start optimizers afresh, train."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import barrier, get_dist_info, is_main_process
from mmengine.hooks import Hook, LoggerHook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.best_weights import BestWeights
from mmdmt.engine.draw_plans import plan_phase, rare_classes_of
from mmdmt.engine.events import RunEvents
from mmdmt.engine.fresh_optimizers import FreshOptimizers
from mmdmt.engine.loss_watch import LossWatch
from mmdmt.engine.metric_names import fit_metric_names, known_names
from mmdmt.engine.peers_of_run import (
    averaged_peers,
    averaged_weights,
    model_of,
    restart_averages,
    seed_everything,
    share_buffers,
    start_from_scratch,
    unwrap_averages,
)
from mmdmt.engine.phase_labels import check_labels, make_labels
from mmdmt.engine.phase_loop import PhaseLoader, plan_phase_ends, validates_at
from mmdmt.engine.rehearsal import rehearse
from mmdmt.engine.resume import confine, settings_of, settle
from mmdmt.engine.run_lock import enter_work_dir
from mmdmt.engine.run_record import RunRecord, best_checkpoint_alone, note_checkpoints, save_checkpoint
from mmdmt.engine.start_checks import check_evaluated, check_start, check_tested
from mmdmt.engine.stop import CleanStop, leave_group_at_exit
from mmdmt.labels.pixels.bank import remove_banks
from mmdmt.method.draws import RareClasses
from mmdmt.method.phases import PHASE_WORDS, Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.starting_weights import check_run_weights, rename_weights
from mmdmt.registry import HOOKS
from mmdmt.settings import Choice, Number, check_settings
from mmdmt.stop_signal import SIGNAL, LeaveSignals

LABELING = {'batch_size': Number(1, whole=True), 'num_workers': Number(0, 32 * (os.cpu_count() or 1), whole=True)}
"""What the numbers of ``labeling`` may be."""


@HOOKS.register_module()
class DMTHook(Hook):
    """Run Dynamic Mutual Training: label, train, and label again with what was learned.

    Note:
        The hook moves to the next phase after the last iteration of one, when the parameter schedulers have stepped and
        before checkpoints are written. Pseudo labels go to ``<work_dir>/pseudo_labels/<run>/``. Every phase is
        validated at its end, with the weights that label for the next, whatever ``val_interval`` is.

        After each labeling the runner calls ``after_labeling(runner)`` of every hook that has it, and when a phase with
        labels online begins ``before_online_phase(runner)``; the peers hold the weights that label.

        :class:`mmdmt.PhaseTrainLoop` is as long as the phases. The ordinary ``IterBasedTrainLoop`` runs them, too; its
        ``max_iters`` must then be their sum.

        With MMEngine's ``EMAHook`` the averaged weights label and are validated. ``carry='last'`` carries both on;
        the others begin the averages anew.

        Everything random in an iteration is seeded from (seed, iteration, rank), so that a resumed run goes on exactly
        as if it had never stopped.

    Args:
        phases (Sequence[dict], optional): The arguments of each :class:`~mmdmt.method.phases.Phase`. Defaults to None:
            said by the last eight arguments.
        carry (str): The weights each peer takes into the next phase: ``'last'``; ``'best'``, those of its best
            validation during the phase, which selects on the validation set, and of the last phase goes to
            ``<work_dir>/best_of_last_phase.pth``; or ``'scratch'``, those of its config, with other random numbers.
            Defaults to ``'last'``.
        carry_metric (str): Which metric is the best, greater is better: the peer ``coco`` is judged by
            ``coco/<carry_metric>`` of :class:`mmdmt.PeerMetric`. Defaults to ``'mIoU'``.
        labeling (dict, optional): ``batch_size``, images loaded together (those that a peer's padding makes equal are
            forwarded together), and ``num_workers`` of labeling, 1 and 2 if not given. Defaults to None.
        keep_banks (int): For how many phases the pseudo labels are kept, back from that of the latest checkpoint, which
            needs them to be resumed; 0 for all. Defaults to 1.
        stop_after_nan (int): How many iterations in a row may have a loss that is NaN or infinite before the run stops;
            looked at as often. 0 never stops. Defaults to 10.
        rare_classes (dict, optional): Draw labeled images by class, the rare ones oftener, with the arguments of
            :class:`~mmdmt.method.draws.RareClasses`. Defaults to None, shuffled passes through all of them.
        rehearsal (bool): Whether a run is taken once through what its phases will do before its first iteration, see
            :func:`~mmdmt.engine.rehearsal.rehearse`. Defaults to True.
        map_classes (bool): Whether the ids of validated and tested masks are mapped by the names of their classes,
            where these stand in another order than those of the labeled images. Defaults to False: that is refused.
        warm_up, iters, labeled, pseudo, ratios, online, lr_factor, warm_up_lists: In place of ``phases``, as
            :meth:`Curriculum.compact <mmdmt.method.phases.Curriculum.compact>` takes them. Default to None, its own.

    Raises:
        ValueError: If the settings make no run, here or when the run starts.
    """

    priority = 80  # after the parameter schedulers (LOW, 70), before the checkpoints (VERY_LOW, 90)
    SETTINGS = {
        'carry': Choice('last', 'best', 'scratch'),
        'keep_banks': Number(0, whole=True),
        'stop_after_nan': Number(0, whole=True),
    }

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
        if phases is not None and given:
            raise ValueError(
                f'phases of DMTHook say all that {", ".join(given)} say: give one of the two. In a config that '
                "inherits one of them, replace the whole hook: custom_hooks=[dict(type='mmdmt.DMTHook', ...)]."
            )
        if phases is None and not given:
            raise ValueError(
                'DMTHook needs its phases: give warm_up, iters, labeled and pseudo, or phases=[dict(...), ...].'
            )
        self.curriculum = Curriculum.compact(**given) if phases is None else Curriculum.from_configs(phases)
        self.labeling = dict(labeling or {})
        check_settings(self, arguments)
        check_settings('labeling of DMTHook', self.labeling, LABELING)
        if unknown := set(self.labeling) - set(LABELING):
            raise ValueError(f'labeling of DMTHook has {sorted(unknown)}: give {", ".join(LABELING)}.')
        self.keep_banks = keep_banks
        self.rehearsal, self.map_classes = rehearsal, map_classes
        self.rare_classes = None if rare_classes is None else dict(rare_classes)
        self.carry_metric = str(carry_metric) if carry == 'best' else None
        self.best = BestWeights(carry_metric) if carry == 'best' else None
        self.from_scratch = carry == 'scratch'
        self.phase = 0
        self.run_id = ''
        self._seen: Mapping[str, Tensor] = {}
        self._loss_watch, self._stop = LossWatch(stop_after_nan), CleanStop()
        self._events = RunEvents()
        self._lock: int | None = None
        self._written: int | None = None
        self._record = RunRecord(Path(), None)
        self._rare_classes: RareClasses | None = None
        self._optimizers: FreshOptimizers

    # What MMEngine calls, in the order in which it calls it.

    def before_run(self, runner: Runner) -> None:
        """Check that model, data, optimizer and loop fit the phases, before anything else happens."""
        model = model_of(runner)
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            if runner._load_from is not None and isinstance(model, DynamicMutualTraining):
                check_run_weights(runner._load_from, model, complete=True)
            check_evaluated(runner, model, self.map_classes)
            return  # not built: the run only tests
        self._events.open(runner)
        headers = check_start(runner, model, self.curriculum, self.carry_metric, self.map_classes)
        if is_main_process():
            self._lock = enter_work_dir(Path(runner.work_dir))
            headers.write()
        self._stop.guard(runner)
        barrier()
        self._record, iteration = settle(runner, model, self.curriculum)
        unwrap_averages(runner)
        if self.rare_classes is not None:
            self._rare_classes = rare_classes_of(runner.train_dataloader.dataset, self.rare_classes)
        self._optimizers = FreshOptimizers(runner, self.curriculum.phases)
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
            rename_weights(checkpoint, model_of(runner).peer_names)
        else:
            check_tested(runner, checkpoint.get('meta', {}).get('dataset_meta') or {}, self.map_classes)

    def before_train(self, runner: Runner) -> None:
        """Enter the phase of the first iteration, which is not the first of all when a run is resumed."""
        for loop in filter(None, (runner.train_loop, runner.val_loop)):
            loop.dataloader.worker_init_fn = LeaveSignals(loop.dataloader.worker_init_fn)
        for hook in runner.hooks:
            if isinstance(hook, LoggerHook):  # at least two lines a phase
                hook.interval = min(hook.interval, max(1, min(phase.iters for phase in self.curriculum.phases) // 2))
        iteration = runner.train_loop.iter
        self._stop.start(iteration)
        self._rehearse(runner, iteration)
        self.run_id = self.run_id or runner.timestamp
        if is_main_process():
            self._record.begin(self.run_id, settings_of(runner.cfg, self.curriculum), iteration)
        note_checkpoints(runner, self._record)
        for name, peer in model_of(runner).peers.items():
            runner.optim_wrapper[name].initialize_count_status(peer, iteration, self.curriculum.total_iters)
        runner.train_loop.dataloader_iterator = PhaseLoader(runner.train_dataloader, skipped=iteration)
        self.phase = self.curriculum.at(iteration)
        plan_phase_ends(runner.train_loop, self.curriculum.ends, due=self.best is None and not self.from_scratch)
        if self.best is not None:
            self.best.begin(self._best_folder(runner))
        self._events.start(runner, self.curriculum, self.run_id)
        if iteration < self.curriculum.total_iters:
            self._events.write('phase', phase=self.phase, iteration=iteration)
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
        """Seed the iteration, and remove the pseudo labels that no checkpoint needs any more."""
        self._stop.done = batch_idx
        self._stop.end_after_iteration()
        if self._written is not None:
            oldest = self._record.oldest
            if is_main_process() and oldest is not None:
                remove_banks(self._banks(runner), self.curriculum.at(oldest), self.keep_banks)
            self._written = None
        rank, _ = get_dist_info()
        seed_everything(runner.seed, batch_idx, rank)
        done = batch_idx + 1 - self.curriculum.start(self.phase)
        model_of(runner).set_progress(done / self.curriculum[self.phase].iters)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Move to the next phase after the last iteration of one."""
        if outputs is not None:
            self._loss_watch.see(batch_idx, outputs)
        iteration = batch_idx + 1
        self._stop.done = iteration
        if iteration == self.curriculum.ends[self.phase] and iteration < self.curriculum.total_iters:
            if self.best is not None or self.from_scratch:
                self._validate(runner, iteration)
            if self.best is not None:
                self.best.carry(model_of(runner).bare_peers, runner.logger)
                restart_averages(runner)
            self._enter_next_phase(runner, iteration)

    def before_val(self, runner: Runner) -> None:
        """Share buffers, so that every process validates the same peers."""
        SIGNAL.is_writing = False
        share_buffers(runner)

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
                self.best.write_result(runner)
            remove_banks(self._banks(runner), self.phase, self.keep_banks)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def after_run(self, runner: Runner) -> None:
        """Prepare for the end of the process."""
        leave_group_at_exit()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Remember each peer's weights if they are its best of the phase, and write the results down."""
        if metrics:
            ours = runner.val_loop.evaluator.metrics
            classes = [getattr(metric, 'class_iou', {}) for metric in ours]
            values = {key: value for found in (metrics, *classes) for key, value in found.items()}
            reliability = next((one for one in (getattr(metric, 'reliability', {}) for metric in ours) if one), {})
            self._events.write('validation', iteration=runner.iter, values=values, reliability=reliability)
        if self.best is not None and metrics:
            with averaged_weights(runner):
                self.best.update(model_of(runner).bare_peers, metrics)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the state of the run into a checkpoint."""
        SIGNAL.is_writing = True
        self._written = self.phase  # by the next iteration
        checkpoint['dmt'] = {
            'run': self.run_id,
            'phase': self.phase,
            'ends': list(self.curriculum.ends),
            'best': self.best.scores if self.best is not None else {},
        }
        online = model_of(runner).online
        if online is not None and online.seen:
            checkpoint['dmt']['seen'] = {name: counts.cpu() for name, counts in online.seen.items()}

    # What a phase change involves.

    def _validate(self, runner: Runner, iteration: int) -> None:
        """Validate the phase that ends, before its weights are replaced."""
        loop = runner.train_loop
        if runner.val_loop is None or (self.best is None and iteration < loop.val_begin):
            return
        with self._stop.phase_changes(), best_checkpoint_alone(runner):
            loop._iter, before = iteration, loop._iter  # MMEngine counts it after the hooks
            runner.val_loop.run()  # the last update counts too
            loop._iter = before

    def _enter_next_phase(self, runner: Runner, iteration: int) -> None:
        """Label, start everything afresh, and write a checkpoint of it."""
        self.phase += 1
        self._events.write('phase', phase=self.phase, iteration=iteration)
        # A run that is resumed from a checkpoint without labels makes them, if those who label are in it.
        saves_first = not self.from_scratch and (self.best is None or SIGNAL.number is not None)
        if not saves_first:
            self._label(runner)
        if self.from_scratch:
            start_from_scratch(runner, self.phase)
            restart_averages(runner)
        self._optimizers.restart(runner, self.curriculum[self.phase])
        save_checkpoint(runner, iteration)
        if saves_first:
            self._label(runner)
        self._begin(runner, iteration)

    def _label(self, runner: Runner) -> None:
        """Label the unlabeled images for the present phase, unless that happens online."""
        SIGNAL.is_writing = False
        folder = self.bank_folder(runner)
        told = make_labels(runner, self.curriculum, self.phase, folder, self.run_id, self.labeling)
        if told:
            self._events.write('labels', phase=self.phase, iteration=self.curriculum.start(self.phase), values=told)

    def _begin(self, runner: Runner, iteration: int) -> None:
        """Draw from what the present phase trains on, from an iteration on."""
        phase = self.curriculum[self.phase]
        runner.logger.info(
            f'Phase {self.phase} ({self.phase + 1} of {len(self.curriculum)}), iterations '
            f'{self.curriculum.start(self.phase)} to {self.curriculum.ends[self.phase]}: {phase.kind}.'
        )
        if phase.has_bank:
            check_labels(runner, self.curriculum, self.phase, self.bank_folder(runner), self.run_id)
        if self.best is not None:
            self.best.begin(self._best_folder(runner))
        model = model_of(runner)
        model.begin_phase(phase, averaged_peers(runner))
        if model.online is not None and iteration > self.curriculum.start(self.phase):
            model.online.seen = dict(self._seen)
        plan = plan_phase(runner, self.curriculum, self.phase, self.bank_folder(runner), self._rare_classes)
        runner.train_dataloader.batch_sampler.start(plan, iteration)
        runner.train_loop.dataloader_iterator.restart()
        if phase.online is not None and iteration == self.curriculum.start(self.phase):
            runner.call_hook('before_online_phase')

    def _best_folder(self, runner: Runner) -> Path:
        return Path(runner.work_dir) / 'best_weights' / self.run_id / f'phase_{self.phase}'

    def _banks(self, runner: Runner) -> Path:
        return Path(runner.work_dir) / 'pseudo_labels' / self.run_id

    def bank_folder(self, runner: Runner) -> Path:
        """Return the folder that holds the bank of each labeler of the present phase."""
        return self._banks(runner) / f'phase_{self.phase}'

    def _rehearse(self, runner: Runner, iteration: int) -> None:
        """Find now what would fail later, and fit the names of metrics that hooks ask for."""
        names = known_names(runner)
        if self.rehearsal and iteration < self.curriculum.total_iters:
            names = rehearse(runner, self.curriculum)
        if names is not None:
            fit_metric_names(runner, names, self.carry_metric)
