"""Check before a run starts that its model, data, phases and loop fit together."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import EMAHook
from mmengine.model import MMSeparateDistributedDataParallel
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop, Runner

from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.sampler import MutualBatchSampler
from mmdmt.engine.peers_of_run import labels_of, model_of
from mmdmt.engine.schedules import fit_schedulers
from mmdmt.engine.validation_checks import check_validation
from mmdmt.method.draws import TRUTH
from mmdmt.method.phases import Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.settings import check_number


def check_settings(
    carry: str, carry_metric: str, keep_banks: int, stop_after_nan: int, labeling: Mapping[str, Any]
) -> None:
    """Check the arguments of DMTHook other than its phases.

    Raises:
        ValueError: If one of them is unknown or no number it can be.
    """
    if carry not in ('last', 'best', 'scratch'):
        raise ValueError(f"carry={carry!r} of DMTHook is unknown: choose 'last', 'best' or 'scratch'.")
    if not isinstance(carry_metric, str) or not carry_metric:
        raise ValueError(f"carry_metric={carry_metric!r} of DMTHook names no metric: give one, such as 'mIoU'.")
    check_number('keep_banks of DMTHook', keep_banks, int)
    if keep_banks < 0:
        raise ValueError(f'keep_banks={keep_banks} of DMTHook: give the number of phases to keep, 0 for all.')
    check_number('stop_after_nan of DMTHook', stop_after_nan, int)
    if stop_after_nan < 0:
        raise ValueError(f'stop_after_nan={stop_after_nan} of DMTHook: give a number of iterations, 0 for never.')
    least = {'batch_size': 1, 'num_workers': 0}
    unknown = set(labeling) - {*least, 'selection', 'views', 'together'}
    if unknown:
        raise ValueError(
            f'labeling of DMTHook has {sorted(unknown)}: it takes batch_size, num_workers, selection, views, together.'
        )
    for name in least.keys() & labeling.keys():
        check_number(f'labeling.{name} of DMTHook', labeling[name], int)
        if labeling[name] < least[name]:
            raise ValueError(f'labeling.{name}={labeling[name]} of DMTHook is too small: give {least[name]} or more.')
    most = 32 * (os.cpu_count() or 1)
    if labeling.get('num_workers', 0) > most:
        raise ValueError(
            f'labeling.num_workers={labeling["num_workers"]} of DMTHook would start as many processes on '
            f'{os.cpu_count()} CPUs: give {most} at most.'
        )


def check_run(runner: Runner, curriculum: Curriculum, carry_metric: str | None) -> None:
    """Check that model, optimizer, data and loop fit the phases.

    Args:
        runner (Runner): About to train; everything is built, nothing has run.
        curriculum (Curriculum): The phases.
        carry_metric (str, optional): The metric that chooses the best weights, which needs validation; None without.

    Raises:
        ValueError: If something does not fit, saying what and how to mend it.
    """
    _check_hook(runner)
    _check_compile(runner)
    _check_loop(runner, curriculum, carry_metric is not None)
    model = _check_model(runner)
    _check_optimizer(runner, model, curriculum)
    _check_data(runner, model, curriculum)
    _check_recipe(runner, model, curriculum)
    check_validation(runner, runner.train_dataloader.dataset.metainfo['classes'], carry_metric)


def check_selection(runner: Runner, selection: Mapping[str, Any] | None) -> None:
    """Check that the policy that selects labels can be built, and selects labels of this space.

    Args:
        runner (Runner): About to train.
        selection (dict, optional): ``labeling.selection`` of DMTHook.

    Raises:
        ValueError: If it is none, or of the other label space.
    """
    if selection is None:
        return
    if not isinstance(selection, Mapping) or 'type' not in selection:
        raise ValueError(f'labeling.selection={selection!r} of DMTHook is not a config: give dict(type=..., ...).')
    model = model_of(runner)
    try:  # a recorder writes nothing until it is entered
        labels_of(runner).recorder(Path(runner.work_dir), 1, model.num_classes, selection)
    except TypeError as error:
        raise ValueError(
            f'labeling.selection={dict(selection)} of DMTHook cannot be built ({error}): give arguments of its type.'
        ) from error


def _check_hook(runner: Runner) -> None:
    hooks = [hook for hook in runner.hooks if type(hook).__name__ == 'DMTHook']
    if len(hooks) > 1:
        raise ValueError(f'custom_hooks has {len(hooks)} DMTHooks, of which a run takes one: join their phases.')
    processes = int(os.environ.get('WORLD_SIZE', 1))
    if 'TORCHELASTIC_RUN_ID' in os.environ and processes > 1 and get_world_size() == 1:
        raise ValueError(
            f'torchrun has started {processes} processes, but launcher={runner.launcher!r} lets each train alone: add '
            '--launcher pytorch, as tools/dist_train.sh does.'
        )


def _check_compile(runner: Runner) -> None:
    if runner.cfg.get('compile'):
        raise ValueError(
            f'compile={runner.cfg.compile} of the config would compile the training step of all peers with their '
            'optimizers and batches as one graph, which torch.compile cannot: take it out. docs/en/performance.md says '
            'how to compile the backbone of each peer.'
        )


def _check_loop(runner: Runner, curriculum: Curriculum, validates: bool) -> None:
    loop = runner.train_loop
    if not isinstance(loop, IterBasedTrainLoop):
        raise ValueError(
            f'DMTHook counts phases in iterations, but train_cfg is a {type(loop).__name__}: set train_cfg=dict(type='
            f"'IterBasedTrainLoop', max_iters={curriculum.total_iters})."
        )
    if loop.max_iters != curriculum.total_iters:
        raise ValueError(
            f'train_cfg.max_iters={loop.max_iters}, but the phases of DMTHook have {curriculum.total_iters} iterations '
            f'({" + ".join(str(phase.iters) for phase in curriculum.phases)}): make them equal.'
        )
    if validates and runner.val_loop is None:
        raise ValueError("DMTHook has carry='best', but the config has no validation: add val_cfg or carry='last'.")


def _check_model(runner: Runner) -> DynamicMutualTraining:
    wrapper, model = runner.model, model_of(runner)
    if not isinstance(model, DynamicMutualTraining):
        raise ValueError(
            f"DMTHook got a {type(model).__name__}: give model=dict(type='mmdmt.DynamicMutualTraining', peers=...)."
        )
    if wrapper is not model and not isinstance(wrapper, MMSeparateDistributedDataParallel):
        raise ValueError(
            f'The model is wrapped in {type(wrapper).__name__}, but peers have an optimizer each: set '
            "model_wrapper_cfg=dict(type='MMSeparateDistributedDataParallel')."
        )
    return model


def _check_optimizer(runner: Runner, model: DynamicMutualTraining, curriculum: Curriculum) -> None:
    if not isinstance(runner.optim_wrapper, OptimWrapperDict):
        raise ValueError(
            f'optim_wrapper is one {type(runner.optim_wrapper).__name__} for all peers: add '
            "optim_wrapper=dict(constructor='mmdmt.PeerOptimWrapperConstructor') for one each."
        )
    optimized = list(runner.optim_wrapper.keys())
    if set(optimized) != set(model.peer_names):
        raise ValueError(
            f'optim_wrapper is for {optimized}, but the peers are {list(model.peer_names)}: let '
            'mmdmt.PeerOptimWrapperConstructor build it.'
        )
    for number, phase in enumerate(curriculum.phases):
        for name in optimized if phase.lr is not None else ():
            rate = runner.optim_wrapper[name].optimizer.defaults.get('lr')
            if not rate:
                raise ValueError(
                    f'phases[{number}].lr={phase.lr} scales the learning rates of all parameters, but the optimizer of '
                    f'{name!r} has lr={rate}: give optim_wrapper.optimizer a learning rate > 0.'
                )
    if runner.param_schedulers is None:
        return
    if runner.cfg.get('param_scheduler') is None:
        raise ValueError('DMTHook restarts param_scheduler in every phase and needs its config: use Runner.from_cfg.')
    if isinstance(runner.param_schedulers, dict) and set(runner.param_schedulers) != set(optimized):
        raise ValueError(
            f'param_scheduler is for {list(runner.param_schedulers)}, but the peers are {list(model.peer_names)}: give '
            'one list for all, or one for each peer by its name.'
        )
    for phase in curriculum.phases:
        fit_schedulers(runner.cfg.param_scheduler, phase.iters)


def _check_recipe(runner: Runner, model: DynamicMutualTraining, curriculum: Curriculum) -> None:
    """Check that averages and the images that mixes need are there, and that a share of a batch can be kept."""
    averages = any(isinstance(hook, EMAHook) for hook in runner.hooks)
    for number, phase in enumerate(curriculum.phases):
        online = phase.online_labels
        if online is not None and online.averaged and not averages:
            raise ValueError(
                f'phases[{number}].online has labeler={online.labeler!r}, but no hook averages weights: add to '
                "custom_hooks the entry dict(type='EMAHook', ema_type='MomentumAnnealingEMA', momentum=0.004, gamma=1, "
                'update_buffers=True).'
            )
        if online is not None and online.labeler == TRUTH:
            runner.train_dataloader.dataset.check_truth()
        if online is not None and online.label_ratio is not None and model.kind.space == 'images':
            raise ValueError(
                f'phases[{number}].online.label_ratio={online.label_ratio} keeps a share of the pixels of each class, '
                'but the peers are classifiers: give online.min_confidence, such as 0.95.'
            )
        for mix in model.mixes if phase.learns_pseudo_labels else ():
            if phase.pseudo < mix.needs_pseudo or phase.labeled < mix.needs_labeled:
                raise ValueError(
                    f'{type(mix).__name__} of mixes needs {mix.needs_pseudo} pseudo-labeled and {mix.needs_labeled} '
                    f'labeled images of each peer in a batch, but phases[{number}] draws pseudo={phase.pseudo} and '
                    f'labeled={phase.labeled}: draw more, or drop the mix.'
                )


def _check_data(runner: Runner, model: DynamicMutualTraining, curriculum: Curriculum) -> None:
    loader = runner.train_dataloader
    if not isinstance(loader.dataset, MutualDataset):
        raise ValueError(
            f"train_dataloader.dataset is a {type(loader.dataset).__name__}: give dict(type='mmdmt.MutualDataset', "
            'labeled=..., unlabeled=...).'
        )
    if not isinstance(loader.batch_sampler, MutualBatchSampler):
        raise ValueError(
            "train_dataloader has no mmdmt.MutualBatchSampler: add batch_sampler=dict(type='mmdmt.MutualBatchSampler')."
        )
    if loader.dataset.labels.name != model.kind.space:
        raise ValueError(
            f'The peers learn labels of {model.kind.space}, but train_dataloader.dataset has labels of '
            f'{loader.dataset.labels.name} (told by the transform that packs): give both the same.'
        )
    classes = loader.dataset.metainfo['classes']
    if model.num_classes != len(classes):
        raise ValueError(
            f'The peers predict num_classes={model.num_classes}, but the labeled dataset has {len(classes)} classes '
            f'({", ".join(classes)}): set num_classes of every head to {len(classes)}.'
        )
    most = loader.dataset.labels.max_classes
    if model.num_classes > most:
        raise ValueError(
            f'The peers predict num_classes={model.num_classes}, but a bank of {model.kind.space} tells {most} '
            f'classes apart: train with {most} classes at most.'
        )
    for number, phase in enumerate(curriculum.phases):
        if phase.batch_size != loader.batch_sampler.batch_size:
            raise ValueError(
                f'phases[{number}] draws labeled={phase.labeled} + pseudo={phase.pseudo} images of each peer, but '
                f'train_dataloader.batch_size={loader.batch_sampler.batch_size}: make them equal.'
            )
        for peer, list_file in (phase.labeled_lists or {}).items():
            if peer not in model.peer_names:
                raise ValueError(
                    f'phases[{number}].labeled_lists names {peer!r}, but the peers are {list(model.peer_names)}.'
                )
            loader.dataset.labeled_indices(list_file)
