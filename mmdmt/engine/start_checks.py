"""Check before a run starts that its model, data, phases and loop fit together, by the table of rules."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import EMAHook
from mmengine.model import MMSeparateDistributedDataParallel
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner

from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.datasets.plain_dataset import check_annotated
from mmdmt.datasets.sampler import MutualBatchSampler
from mmdmt.engine.metric_names import known_names
from mmdmt.labels.space import space_named
from mmdmt.method.draws import TRUTH
from mmdmt.method.phases import Curriculum
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.starting_weights import check_run_weights
from mmdmt.rules.facts import Facts, refuse
from mmdmt.rules.findings import FileError, by_kind
from mmdmt.rules.headers import band_findings, bands_of, mask_findings
from mmdmt.rules.joined_datasets import all_transforms, plain_datasets
from mmdmt.rules.known_transforms import unknown_transforms
from mmdmt.rules.run_facts import read_data, read_peers


def check_start(
    runner: Runner, model: DynamicMutualTraining, curriculum: Curriculum, carry_metric: str | None, map_classes: bool
) -> None:
    """Check all that a run needs to train; ``carry_metric`` chooses best weights, if any.

    Raises:
        ValueError: If something does not fit, saying what and how to mend it.
        FileNotFoundError: If a file does not exist.
    """
    refuse(_kinds(runner, model))
    check_training(runner, model, curriculum, carry_metric)
    check_evaluated(runner, model, map_classes)
    dataset = runner.train_dataloader.dataset
    if absent := dataset.labels.absent_classes(dataset.parts) if is_main_process() else []:
        runner.logger.warning(
            f'No labeled image shows {", ".join(absent)}, which no peer can learn: label some, or take the class out '
            'of metainfo and heads.'
        )


def check_training(
    runner: Runner, model: DynamicMutualTraining, curriculum: Curriculum, carry_metric: str | None
) -> None:
    """Check that model, optimizer, training data and loop fit the phases."""
    facts, dataset, schedulers = Facts(), runner.train_dataloader.dataset, runner.param_schedulers
    lengths = ' + '.join(str(phase.iters) for phase in curriculum.phases)
    facts['number of iterations']['train_cfg.max_iters'] = runner.train_loop.max_iters
    facts['number of iterations'][f'the phases of DMTHook ({lengths})'] = curriculum.total_iters
    facts['batch size']['train_dataloader.batch_size'] = runner.train_dataloader.batch_sampler.batch_size
    facts['list of peers']['the model'] = tuple(sorted(model.peer_names))
    facts['list of peers']['optim_wrapper'] = tuple(sorted(runner.optim_wrapper.keys()))
    if isinstance(schedulers, dict):
        facts['list of peers']['param_scheduler'] = tuple(sorted(schedulers))
    if schedulers is not None:
        known = runner.cfg.get('param_scheduler') is not None
        facts['param_scheduler']['the runner'] = 'a config' if known else 'no config'
    averages = sum(isinstance(hook, EMAHook) for hook in runner.hooks)
    _read_phases(facts, curriculum, model, runner.optim_wrapper, averages)
    names = known_names(runner.val_loop, model)
    if carry_metric is not None and names is not None:
        facts['metric']['carry_metric of DMTHook, which has carry=best'] = carry_metric
        facts['list of metrics']['val_evaluator'] = tuple(dict.fromkeys(name.partition('/')[2] for name in names))
    facts['space of labels'] |= {'the peers': model.kind.space, 'train_dataloader.dataset': dataset.labels.name}
    read_peers(facts, model.bare_peers, model.kind)
    classes = dataset.metainfo['classes']
    facts['num_classes'][f'the labeled dataset ({", ".join(map(str, classes))})'] = len(classes)
    beyond = max(0, model.num_classes - dataset.labels.max_classes)
    facts['number of classes that a bank of labels cannot tell apart']['the peers'] = beyond
    refuse(facts)
    transforms = [*all_transforms(dataset.labeled), *dataset.unlabeled.pipeline.transforms]
    if dataset.labels.name == 'pixels' and (unknown := unknown_transforms(transforms)):
        runner.logger.warning(
            f'{", ".join(unknown)} in the training pipelines: make sure that masks are moved as images are, because it '
            'is not known of these transforms.'
        )
    for phase in curriculum.phases:
        if phase.online_labels and phase.online_labels.labeler == TRUTH:
            dataset.check_truth()
        for list_file in (phase.labeled_lists or {}).values():
            dataset.labeled_indices(list_file)


def check_evaluated(runner: Runner, model: DynamicMutualTraining, map_classes: bool = False) -> None:
    """Check the data that a run validates or tests on, and compare them with those of training, if it trains.

    ``map_classes`` maps the ids of their masks by the names of their classes. Raises as :func:`check_start`.
    """
    built = _evaluating(runner)
    trained_on: Any = runner._train_loop.dataloader.dataset if isinstance(runner._train_loop, BaseLoop) else None
    if trained_on is None and runner._load_from is not None and isinstance(model, DynamicMutualTraining):
        check_run_weights(runner._load_from, model, complete=True)
    labels, facts = space_named(model.kind.space), Facts()
    read_peers(facts, model.bare_peers, model.kind)
    named: list[tuple[str, Any]] = []
    if trained_on is not None:
        named = [*_named('the labeled dataset', trained_on.labeled), ('the unlabeled dataset', trained_on.unlabeled)]
    for name, loop in built.items():
        if map_classes and trained_on is not None:
            map_evaluated(name, loop, trained_on.metainfo['classes'])
        named += _named(f'{name}.dataset', loop.dataloader.dataset)
    with_labels = [(name, part) for name, part in named if name != 'the unlabeled dataset' or _has_masks(part)]
    metrics = {name.replace('dataloader', 'evaluator'): loop.evaluator.metrics for name, loop in built.items()}
    read_data(facts, labels, with_labels, metrics)
    if trained_on is not None:
        transforms = trained_on.unlabeled.pipeline.transforms
        facts['ignore_index'] |= labels.ignored_by('the unlabeled dataset', transforms)
    for name, loop in built.items():
        if (config := runner.cfg.get(name)) and config.get('drop_last'):
            size, told = len(loop.dataloader.dataset), f'{name} (drop_last=True, batch_size={config.batch_size})'
            facts['number of whole batches'][told] = size // config.batch_size
    refuse(facts)
    findings = list(getattr(trained_on, 'findings', ()))
    pads_again = any(getattr(peer.data_preprocessor, 'test_cfg', None) for peer in model.bare_peers.values())
    for name, loop in built.items():
        for part in plain_datasets(loop.dataloader.dataset):
            if hasattr(part, 'pipeline'):
                findings += check_annotated(f'{name}.dataset', part, labels)
                labels.undo_padding(f'{name}.dataset', part, pads_again)
    parts = [part for _, part in named]
    findings += [*mask_findings(parts), *band_findings(parts, bands_of(model.bare_peers.values()))]
    for finding in findings:
        if finding.stops:
            raise FileError(finding)
    for sentence in by_kind(findings):
        runner.logger.warning(f'Of the images that were looked at: {sentence}')


def check_tested(runner: Runner, meta: Mapping[str, Any], map_classes: bool) -> None:
    """Compare the classes of tested images with those in ``dataset_meta`` of a checkpoint.

    Raises:
        ValueError: If they are others, or stand in another order.
    """
    classes = meta.get('classes') or ()
    if not classes:
        return
    facts = Facts()
    facts['list of classes']['the checkpoint'] = tuple(classes)
    for name, loop in _evaluating(runner).items():
        if map_classes:
            map_evaluated(name, loop, classes)
        for place, part in _named(f'{name}.dataset', loop.dataloader.dataset):
            if own := part.metainfo.get('classes'):
                facts['list of classes'][place] = tuple(own)
    refuse(facts)


def map_evaluated(name: str, loop: BaseLoop, classes: Sequence[str]) -> None:
    """Map the ids of all masks that a loop evaluates by the names of their classes."""
    from mmdmt.labels.pixels.masks import map_classes  # classification needs no MMSegmentation

    for place, part in _named(f'{name}.dataset', loop.dataloader.dataset):
        map_classes(place, part, classes)
    if isinstance(getattr(loop.dataloader.dataset, '_metainfo', None), dict):
        loop.dataloader.dataset._metainfo['classes'] = tuple(classes)
    loop.evaluator.dataset_meta = loop.dataloader.dataset.metainfo


def _kinds(runner: Runner, model: Any) -> Facts:
    """Read of what kind everything is, before more is asked of it."""
    facts = Facts()
    started = int(os.environ.get('WORLD_SIZE', 1))
    if 'TORCHELASTIC_RUN_ID' in os.environ and started > 1:
        places = {'WORLD_SIZE of torchrun': started, f'the run (launcher={runner.launcher!r})': get_world_size()}
        facts['number of processes'] |= places
    hooks = [hook for hook in runner.hooks if type(hook).__name__ == 'DMTHook']
    facts['number of DMTHooks']['custom_hooks'] = len(hooks)
    facts['setting compile']['the config'] = runner.cfg.get('compile')
    facts['train loop']['train_cfg'] = _kind(runner.train_loop, IterBasedTrainLoop)
    facts['model']['the config'] = _kind(model, DynamicMutualTraining)
    if runner.model is not model:
        facts['wrapper of the model']['the run'] = _kind(runner.model, MMSeparateDistributedDataParallel)
    facts['optimizer']['optim_wrapper'] = _kind(runner.optim_wrapper, OptimWrapperDict)
    facts['dataset']['train_dataloader'] = _kind(runner.train_dataloader.dataset, MutualDataset)
    facts['batch sampler']['train_dataloader'] = _kind(runner.train_dataloader.batch_sampler, MutualBatchSampler)
    return facts


def _read_phases(
    facts: Facts, curriculum: Curriculum, model: DynamicMutualTraining, optimizers: OptimWrapperDict, averages: int
) -> None:
    """Read what each phase asks for."""
    for number, phase in enumerate(curriculum.phases):
        place = f'phases[{number}]'
        drawn = f'{place} (labeled={phase.labeled}, pseudo={phase.pseudo})'
        facts['batch size'][drawn] = phase.batch_size
        if phase.labeled_lists:
            facts['peer'][f'{place}.labeled_lists'] = tuple(phase.labeled_lists)
        for name, one in optimizers.items() if phase.lr is not None else ():
            told = f'optim_wrapper of {name!r}, which {place}.lr={phase.lr} scales'
            facts['learning rate'][told] = one.optimizer.defaults.get('lr')
        online = phase.online_labels
        if online and online.label_ratio is not None and model.kind.space == 'images':
            facts['online.label_ratio for labels of images'][place] = online.label_ratio
        if online and online.averaged:
            facts['number of EMAHooks'][f'custom_hooks, for {place}.online with labeler={online.labeler!r}'] = averages
        for mix in model.mixes if phase.learns_pseudo_labels else ():
            needs = f'{mix.needs_pseudo} pseudo-labeled and {mix.needs_labeled} labeled images'
            lacks = max(0, mix.needs_pseudo - phase.pseudo) + max(0, mix.needs_labeled - phase.labeled)
            facts['number of images that a mix lacks'][f'{drawn}, where {type(mix).__name__} needs {needs}'] = lacks


def _evaluating(runner: Runner) -> dict[str, BaseLoop]:
    """Return the loops that validate and test, as far as they are built, by the names of their loaders."""
    loops = {'val_dataloader': runner._val_loop, 'test_dataloader': runner._test_loop}
    return {name: loop for name, loop in loops.items() if isinstance(loop, BaseLoop)}


def _kind(one: Any, wanted: type) -> str:
    return wanted.__name__ if isinstance(one, wanted) else type(one).__name__


def _named(name: str, dataset: Any) -> list[tuple[str, Any]]:
    """Name the plain datasets of one that are of a toolbox."""
    parts = [part for part in plain_datasets(dataset) if hasattr(part, 'metainfo')]
    return [(f'{name} (part {number})' if len(parts) > 1 else name, part) for number, part in enumerate(parts)]


def _has_masks(dataset: Any) -> bool:
    return bool((getattr(dataset, 'data_prefix', None) or {}).get('seg_map_path'))
