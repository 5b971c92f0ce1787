"""What must fit together before a run starts; each misfit is one sentence."""

from mmengine.model import MMSeparateDistributedDataParallel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop, Runner

from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.samplers import MutualBatchSampler
from mmdmt.engine.phases import Curriculum
from mmdmt.engine.schedules import fit_schedulers
from mmdmt.models.mutual_training import DynamicMutualTraining


def check_run(runner: Runner, curriculum: Curriculum, validates: bool) -> None:
    """Check that model, optimizer, data and loop fit the phases.

    Args:
        runner (Runner): About to train; everything is built, nothing has run.
        curriculum (Curriculum): The phases.
        validates (bool): Whether the run needs validation.

    Raises:
        ValueError: If something does not fit, saying what and how to mend it.
    """
    _check_loop(runner, curriculum, validates)
    model = _check_model(runner)
    _check_optimizer(runner, model, curriculum)
    _check_data(runner, model, curriculum)


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
    wrapper, model = runner.model, runner.model
    if is_model_wrapper(model):
        model = model.module
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
    if runner.param_schedulers is None:
        return
    if runner.cfg.get('param_scheduler') is None:
        raise ValueError('DMTHook restarts param_scheduler in every phase and needs its config: use Runner.from_cfg.')
    for phase in curriculum.phases:
        fit_schedulers(runner.cfg.param_scheduler, phase.iters)


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
    classes = loader.dataset.metainfo['classes']
    if model.num_classes != len(classes):
        raise ValueError(
            f'The peers predict num_classes={model.num_classes}, but the labelled dataset has {len(classes)} classes '
            f'({", ".join(classes)}): set num_classes of every head to {len(classes)}.'
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
