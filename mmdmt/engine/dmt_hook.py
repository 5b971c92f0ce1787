"""The hook that moves a run from one phase to the next."""

import copy
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import barrier, broadcast, get_dist_info, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from mmdmt.datasets.samplers import DrawPlan, PeerPool
from mmdmt.engine.best_weights import BestWeights
from mmdmt.engine.checks import check_run
from mmdmt.engine.last_checkpoint import repair_last_checkpoint
from mmdmt.engine.phase_loader import PhaseLoader
from mmdmt.engine.phases import Curriculum
from mmdmt.engine.run_lock import lock_work_dir
from mmdmt.engine.schedules import fit_schedulers
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.pseudo_labels.bank import PseudoLabelBank, remove_banks
from mmdmt.pseudo_labels.labelling import label
from mmdmt.registry import HOOKS


@HOOKS.register_module()
class DMTHook(Hook):
    """Run Dynamic Mutual Training: label, train, and label again with what was learnt.

    Note:
        The hook acts after the last iteration of a phase, when the parameter schedulers have stepped and before
        checkpoints are written. The order of a phase change is that of :meth:`_enter`. The ordinary
        ``IterBasedTrainLoop`` runs it; its ``max_iters`` is the sum of the phases. Pseudo labels go to
        ``<work_dir>/pseudo_labels/<run>/``.

        Everything random in an iteration, dropout included, is seeded from (seed, iteration, rank), so that a
        resumed run goes on exactly as if it had never stopped.

    Args:
        phases (Sequence[dict]): The arguments of each :class:`~mmdmt.engine.phases.Phase`.
        carry (str): The weights each peer takes into the next phase: ``'last'``, or ``'best'``, those of its best
            validation during the phase, which selects on the validation set. Defaults to ``'last'``.
        carry_metric (str): Which metric is the best, greater is better: the peer ``coco`` is judged by
            ``coco/<carry_metric>`` of :class:`mmdmt.PeerMetric`. Defaults to ``'mIoU'``.
        labelling (dict, optional): ``batch_size``, images of one size forwarded together, and ``num_workers`` of
            labelling. Defaults to 1 and 2.
        keep_banks (int): For how many phases the pseudo labels are kept, back from that of the latest checkpoint, which
            needs them to be resumed; 0 for all. Defaults to 1.

    Raises:
        ValueError: If the settings make no run, here or when the run starts.
    """

    priority = 80  # after the parameter schedulers (LOW, 70), before the checkpoints (VERY_LOW, 90)

    def __init__(
        self,
        phases: Sequence[Mapping[str, Any]],
        carry: str = 'last',
        carry_metric: str = 'mIoU',
        labelling: Mapping[str, int] | None = None,
        keep_banks: int = 1,
    ) -> None:
        self.curriculum = Curriculum.from_configs(phases)
        if carry not in ('last', 'best'):
            raise ValueError(f"carry={carry!r} of DMTHook is unknown: choose 'last' or 'best'.")
        if keep_banks < 0:
            raise ValueError(f'keep_banks={keep_banks} of DMTHook: give the number of phases to keep, 0 for all.')
        self.labelling = dict(labelling or {})
        unknown = set(self.labelling) - {'batch_size', 'num_workers'}
        if unknown:
            raise ValueError(f'labelling of DMTHook has {sorted(unknown)}: it takes batch_size and num_workers.')
        self.keep_banks = keep_banks
        self.best = BestWeights(carry_metric) if carry == 'best' else None
        self.phase = 0
        self.run_id = ''
        self._lock: int | None = None
        self._written: int | None = None
        self._saved: dict[str, Any] | None = None
        self._loaded: set[str] = set()
        self._as_built: dict[str, dict[str, Any]] = {}

    # What MMEngine calls, in the order in which it calls it.

    def before_run(self, runner: Runner) -> None:
        """Check that model, data, optimizer and loop fit the phases, before anything else happens."""
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return  # not built: the run only tests
        check_run(runner, self.curriculum, self.best is not None)
        if is_main_process():
            self._lock = lock_work_dir(Path(runner.work_dir))
            repair_last_checkpoint(Path(runner.work_dir), runner.logger)
        barrier()
        self._as_built = {name: _as_built(runner.optim_wrapper[name]) for name in _model(runner).peer_names}
        self._restart_optimizers(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take the state of the run out of a checkpoint; it counts only if the run is resumed from it."""
        self._saved = checkpoint.get('dmt')
        self._loaded = set(checkpoint.get('state_dict', ()))

    def before_train(self, runner: Runner) -> None:
        """Enter the phase of the first iteration, which is not the first of all when a run is resumed."""
        iteration = runner.train_loop.iter
        if iteration:
            self._resume(runner, iteration)
        else:
            self.run_id = runner.timestamp
        for name, peer in _model(runner).peers.items():
            runner.optim_wrapper[name].initialize_count_status(peer, iteration, self.curriculum.total_iters)
        runner.train_loop.dataloader_iterator = PhaseLoader(runner.train_dataloader, skipped=iteration)
        if iteration < self.curriculum.total_iters:
            self._enter(runner, self.curriculum.at(iteration), iteration)
        if iteration and _validates_at(runner, iteration):
            runner.val_loop.run()  # checkpoints are written before the validation of their iteration

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the iteration, and remove the pseudo labels that no checkpoint needs any more."""
        if self._written is not None:
            if is_main_process():
                remove_banks(self._banks(runner), self._written, self.keep_banks)
            self._written = None
        rank, _ = get_dist_info()
        entropy = np.random.SeedSequence((runner.seed, batch_idx, rank))
        (seed,) = entropy.generate_state(1).tolist()
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Move to the next phase after the last iteration of one."""
        iteration = batch_idx + 1
        if iteration == self.curriculum.ends[self.phase] and iteration < self.curriculum.total_iters:
            if self.best is not None:
                runner.val_loop.run()  # the last update counts too
                self.best.carry(_model(runner).bare_peers, runner.logger)
                self.best.forget()
            self._restart_optimizers(runner, self.phase + 1)
            self._enter(runner, self.phase + 1, iteration)

    def before_val(self, runner: Runner) -> None:
        """Let every process validate the same peers."""
        _share_buffers(runner)

    def after_train(self, runner: Runner) -> None:
        """Let the data workers and the work_dir go."""
        runner.train_loop.dataloader_iterator.restart()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Remember each peer's weights if they are its best of the phase."""
        if self.best is not None and metrics:
            self.best.update(_model(runner).bare_peers, metrics)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the state of the run into a checkpoint."""
        self._written = self.phase  # by the next iteration
        checkpoint['dmt'] = {
            'run': self.run_id,
            'phase': self.phase,
            'ends': list(self.curriculum.ends),
            'best': self.best.scores if self.best is not None else {},
        }

    # What a phase change involves.

    def _enter(self, runner: Runner, index: int, iteration: int) -> None:
        """Enter a phase: its labels are made, and the data start anew."""
        self.phase, phase = index, self.curriculum[index]
        runner.logger.info(
            f'Phase {index} of {len(self.curriculum) - 1}, iterations {self.curriculum.start(index)} to '
            f'{self.curriculum.ends[index]}: {phase.kind}.'
        )
        banks = self._banks(runner) / f'phase_{index}'
        if phase.label_ratio is not None:
            self._label(runner, banks, iteration, phase.label_ratio)
        if self.best is not None:
            self.best.begin(Path(runner.work_dir) / 'best_weights' / self.run_id / f'phase_{index}')
        runner.train_dataloader.batch_sampler.start(self._plan(runner, banks), iteration)
        runner.train_loop.dataloader_iterator.restart()

    def _restart_optimizers(self, runner: Runner, index: int = 0) -> None:
        """Bring optimizers and gradient scalers back to how they were built, and start the schedules anew."""
        phase = self.curriculum[index]
        for name, as_built in self._as_built.items():
            optimizer: OptimWrapper = runner.optim_wrapper[name]
            state = copy.deepcopy(as_built)
            factor = phase.lr_factor if phase.lr is None else phase.lr / optimizer.optimizer.defaults['lr']
            for group in state['param_groups']:
                group['lr'] *= factor
            optimizer.load_state_dict(state)
            optimizer.zero_grad()
        if runner.param_schedulers is not None:
            fitted = fit_schedulers(runner.cfg.param_scheduler, phase.iters)
            runner.param_schedulers = runner.build_param_scheduler(fitted)

    def _banks(self, runner: Runner) -> Path:
        return Path(runner.work_dir) / 'pseudo_labels' / self.run_id

    def _label(self, runner: Runner, folder: Path, iteration: int, label_ratio: float) -> None:
        """Have every peer label the unlabelled images; in the middle of a phase, check that it has been done."""
        model, dataset = _model(runner), runner.train_dataloader.dataset
        if iteration == self.curriculum.start(self.phase):
            _share_buffers(runner)
            label(model.bare_peers, dataset, folder, self.run_id, self.phase, label_ratio, **self.labelling)
        for name in model.peer_names:
            manifest = PseudoLabelBank(folder / name).manifest
            manifest.check(folder / name, run=self.run_id, phase=self.phase, peer=name, names=dataset.names_digest())

    def _plan(self, runner: Runner, folder: Path) -> DrawPlan:
        """Say what each peer draws from during the present phase."""
        model, dataset = _model(runner), runner.train_dataloader.dataset
        phase = self.curriculum[self.phase]
        lists = phase.labeled_lists or {}
        pools = [
            PeerPool(
                peer=name,
                labeled=dataset.labeled_indices(lists[name]) if name in lists else range(len(dataset.labeled)),
                num_unlabeled=dataset.num_unlabeled(),
                bank=None if phase.label_ratio is None else str(folder / model.labellers[name]),
            )
            for name in model.peer_names
        ]
        start, stop = self.curriculum.start(self.phase), self.curriculum.ends[self.phase]
        return DrawPlan(runner.seed, self.phase, start, stop, phase.labeled, phase.pseudo, tuple(pools))

    # What a resumed run must know.

    def _resume(self, runner: Runner, iteration: int) -> None:
        """Take over the state of the run that the checkpoint is of."""
        saved = self._saved
        if saved is None:
            raise ValueError(
                f'The checkpoint of iteration {iteration} was not written by a run with DMTHook and cannot be resumed: '
                'start from its weights with load_from, without --resume.'
            )
        lost = sorted(set(_model(runner).state_dict()) - self._loaded)
        if lost:
            raise ValueError(
                f'The checkpoint lacks {len(lost)} tensors of the model, first {lost[0]!r}: resume with the config '
                'that wrote it, or start from its weights with load_from, without --resume.'
            )
        phase = self.curriculum.at(iteration)
        if saved['ends'][: phase + 1] != list(self.curriculum.ends[: phase + 1]):
            raise ValueError(
                f'The checkpoint of iteration {iteration} is of a run whose phases end at {saved["ends"]}, these end '
                f'at {list(self.curriculum.ends)}: only phases still to come may change.'
            )
        self.run_id = saved['run']
        if self.best is not None:
            self.best.scores = dict(saved['best'])


def _model(runner: Runner) -> DynamicMutualTraining:
    model = runner.model
    return model.module if is_model_wrapper(model) else model


def _share_buffers(runner: Runner) -> None:
    """Give every process the main one's batch-norm statistics, those that a checkpoint holds."""
    for buffer in _model(runner).buffers():
        broadcast(buffer)


def _validates_at(runner: Runner, iteration: int) -> bool:
    """Whether the training loop validates after so many iterations."""
    loop = runner.train_loop
    return runner.val_loop is not None and iteration >= loop.val_begin and iteration % loop.val_interval == 0


def _as_built(optimizer: OptimWrapper) -> dict[str, Any]:
    """Return the state of an optimizer that has not stepped, without what schedulers have done to it."""
    state = copy.deepcopy(optimizer.state_dict())
    for group in state['param_groups']:
        for key in [key for key in group if key.startswith('initial_')]:
            group[key.removeprefix('initial_')] = group.pop(key)
    return state
