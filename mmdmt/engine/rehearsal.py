"""Take a run once through what its phases will do, before its first iteration, and leave no trace of it."""

import copy
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.model import BaseModel, revert_sync_batchnorm
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn

import mmdmt
from mmdmt.datasets.mutual_dataset import MutualDataset
from mmdmt.engine.peers_of_run import bare_model, seed_everything
from mmdmt.engine.quiet_log import quiet_log
from mmdmt.evaluation.peer_metric import PeerMetric
from mmdmt.evaluation_mode import evaluation_mode
from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.draws import ONLINE, TRUTH, Draw
from mmdmt.method.phases import Curriculum, Phase
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.rules.headers import header_of
from mmdmt.rules.seeding import seeded

REHEARSED_SIZES = 3
"""Of how many sizes an image is validated."""
SKIP = 'rehearsal=False of DMTHook skips this check'


def rehearse(runner: Runner, curriculum: Curriculum) -> tuple[str, ...] | None:
    """Take every peer through a small forward and backward pass and a validation image.

    Known labels go through the pipeline of unlabeled images and must come out with their confidence. Then a copy of
    each peer learns from a batch of two or so, in which no loss but ours may depend on pseudo labels. The validation's
    first image goes through the model and a copy of the metrics. No weight, buffer, optimizer, metric or random number
    is other than before.

    Raises:
        ValueError: If something fails, saying what and how to mend it.
    """
    started = time.monotonic()
    model, dataset = bare_model(runner.model), runner.train_dataloader.dataset
    with _untouched(model), _eagerly():
        _learn(dataset, model, runner.optim_wrapper, _different(curriculum))
        if runner.val_loop is None:
            names = None
            _label(dataset, model)
        else:
            names = _validate(runner.val_loop, model, Path(runner.work_dir))
    runner.logger.info(f'Rehearsal: all peers learn and predict ({time.monotonic() - started:.1f} s).')
    return names


def _different(curriculum: Curriculum) -> list[Phase]:
    """Return the first phase of each kind of batch: with pseudo labels of a bank, made online, and without any."""
    by_kind = {(not phase.learns_pseudo_labels, phase.online is None): phase for phase in reversed(curriculum.phases)}
    return [by_kind[kind] for kind in sorted(by_kind)]


def _learn(
    dataset: MutualDataset, model: DynamicMutualTraining, optimizers: OptimWrapperDict, phases: list[Phase]
) -> None:
    """Train a copy of each peer on a small batch of each phase."""
    batches = {name: [_batch(dataset, model, phase, name) for phase in phases] for name in model.peer_names}
    for name, peer in model.bare_peers.items():
        for phase, pair in zip(phases, batches[name], strict=True):
            model.begin_phase(phase)
            if model.online is not None:
                with _saying(f'the labeler of peer {name!r} cannot label a batch of it online'):
                    model.label_online({name: pair[0]}, optimizers)
                pair[1] = _forgotten(dataset, pair[0])
        try:
            twin, placed = copy.deepcopy((peer, model.losses_of(name)))
        except Exception as error:  # whatever a module may hold that cannot be copied
            told = f'Peer {name!r} cannot be copied ({error}) and is not rehearsed.'
            print_log(told, logger='current', level=logging.WARNING)
            continue
        if any(isinstance(module, nn.SyncBatchNorm) for module in twin.modules()):
            twin = revert_sync_batchnorm(twin)
        _learn_alone(name, twin, placed, model, optimizers[name], batches[name])


def _forgotten(dataset: MutualDataset, batch: dict[str, Any]) -> dict[str, Any]:
    """Copy a batch without the labels that were made online."""
    other = copy.deepcopy(batch)
    for sample in other['data_samples']:
        if sample.metainfo.get(ONLINE):
            dataset.labels.forget_label(sample, dataset.ignored)
    return other


def _learn_alone(
    name: str,
    peer: BaseModel,
    placed: list[DynamicMutualLoss],
    model: DynamicMutualTraining,
    optimizer: Any,
    batches: list[list[Any]],
) -> None:
    """Take a copy of a peer through its losses of every batch, and a backward pass of the first, which tells of all."""
    peer.train()
    forward = partial(model.kind.losses, peer, peer, placed=placed, mixes=model.mixes)
    (first, _), *later = batches
    with _saying(_cannot_learn(name, first)):
        with optimizer.optim_context(peer):
            losses = forward(copy.deepcopy(first))
        loss, _ = peer.parse_losses(losses)
        loss.backward()
    for batch, _ in later:
        with _saying(_cannot_learn(name, batch)):
            _computed(forward, optimizer.optim_context(peer), batch)
    pair = next((pair for pair in batches if pair[1] is not None), None)
    if pair is None:
        return  # no pseudo labels
    for one in placed:
        setattr(one, 'forward', _nothing)  # noqa: B010  of an instance, which mypy does not know
    seen = _computed(forward, optimizer.optim_context(peer), pair[0])
    others = _computed(forward, optimizer.optim_context(peer), pair[1]) if any(seen.values()) else seen
    own = sorted(key for key, value in seen.items() if value != others.get(key))
    if own:
        raise ValueError(
            f'Peer {name!r} computes {", ".join(own)} from pseudo labels beside the loss that DMT weighs, so would '
            'learn every pseudo label as if it were true: switch it off (use_se_loss=False of EncHead) or take another '
            f'head; {SKIP}.'
        )


def _cannot_learn(name: str, batch: dict[str, Any]) -> str:
    shapes = ', '.join(sorted({'x'.join(map(str, image.shape)) for image in batch['inputs']}))
    return f'peer {name!r} cannot learn from {len(batch["inputs"])} images of {shapes}'


def _computed(forward: Any, precision: AbstractContextManager[Any], batch: dict[str, Any]) -> dict[str, float]:
    """Return the losses of a batch, computed with the same random numbers every time."""
    seed_everything(0)
    with torch.no_grad(), precision:
        losses = forward(copy.deepcopy(batch))
    return {key: _sum(value) for key, value in losses.items() if 'loss' in key}


def _batch(dataset: MutualDataset, model: DynamicMutualTraining, phase: Phase, peer: str) -> list[Any]:
    """Load a small batch, and once more with other pseudo labels; None in its place if there are none yet, or ever."""
    labeled = min(phase.labeled, max((1, *(mix.needs_labeled for mix in model.mixes))))
    pseudo = min(phase.pseudo, max((1, *(mix.needs_pseudo for mix in model.mixes))))
    if labeled + pseudo < 2 <= phase.batch_size:  # one image is too few for batch norm
        labeled, pseudo = min(phase.labeled, 2), min(phase.pseudo, 2)
    with _saying('a labeled image cannot be loaded'):
        truth = [dataset[Draw(peer, image, image, None)] for image in _spread(len(dataset.labeled), labeled)]
    numbers = _spread(dataset.num_unlabeled(), pseudo)
    with _saying('an unlabeled image cannot be loaded with a pseudo label'):
        if phase.online_labels is not None:
            source = TRUTH if phase.online_labels.labeler == TRUTH else ONLINE
            return [_joined([*truth, *(dataset[Draw(peer, image, image, source)] for image in numbers)]), None]
        pairs = [dataset.known_items(image, peer) for image in numbers]
    first, second = ([pair[which] for pair in pairs] for which in (0, 1))
    return [_joined([*truth, *first]), _joined([*copy.deepcopy(truth), *second]) if second else None]


def _validate(loop: BaseLoop, model: DynamicMutualTraining, work_dir: Path) -> tuple[str, ...]:
    """Take the first image of the validation through model and metrics; return the names of the results."""
    dataset = loop.dataloader.dataset
    with _own_metrics(loop.evaluator, work_dir) as evaluator:
        for number in _of_other_sizes(dataset):
            image = _info(dataset, number).get('img_path', f'image {number}')
            with _saying(f'{image} of val_dataloader cannot be loaded'):
                batch = loop.dataloader.collate_fn([dataset[number]])
            size = 'x'.join(map(str, batch['inputs'][0].shape[1:])) if 'inputs' in batch else 'its views'
            divisor = 'a network for sizes that 32 divides takes data_preprocessor=dict(test_cfg=dict(size_divisor=32))'
            what = f'the peers cannot predict {image} of val_dataloader with {size} (height x width), and {divisor}'
            with _saying(what), torch.no_grad():
                outputs = model.val_step(batch)
            with _saying('val_evaluator cannot judge a prediction'):
                evaluator.process(data_samples=outputs, data_batch=batch)
        with _saying('val_evaluator cannot judge a prediction'):
            names = [name for metric in evaluator.metrics for name in _results(metric)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'val_evaluator gives {", ".join(twice)} twice: give its metrics a prefix each.')
    return tuple(names)


def _of_other_sizes(dataset: Any) -> list[int]:
    """Return the first image of a dataset, and two at most of other sizes, told apart by what 32 leaves of them."""
    kinds: dict[Any, int] = {}
    for number in range(len(dataset)):
        path = str(_info(dataset, number).get('img_path'))
        content = header_of(path)
        kinds.setdefault(content and tuple(side % 32 for side in content.size), number)
    return sorted(kinds.values())[:REHEARSED_SIZES]


def _info(dataset: Any, number: int) -> dict[str, Any]:
    return dict(dataset.get_data_info(number)) if hasattr(dataset, 'get_data_info') else {}


@contextmanager
def _own_metrics(evaluator: Evaluator, work_dir: Path) -> Iterator[Evaluator]:
    """Copy the metrics; what they write goes to a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix='.rehearsal_', dir=work_dir) as folder:
        twin = copy.deepcopy(evaluator)
        for metric in twin.metrics:
            if isinstance(metric, PeerMetric):
                metric.write_to(Path(folder))
            elif getattr(metric, 'output_dir', None):
                metric.output_dir = folder
        with quiet_log(logging.ERROR):  # no tables of one image
            yield twin


def _results(metric: Any) -> list[str]:
    """Name the results of a metric, without asking other processes."""
    if isinstance(metric, PeerMetric):
        return list(metric.results_here())
    prefix = metric.prefix
    return [f'{prefix}/{name}' if prefix else name for name in metric.compute_metrics(metric.results)]


def _label(dataset: Any, model: DynamicMutualTraining) -> None:
    """Predict an unlabeled image with every peer, as the labeling does."""
    with _saying('an unlabeled image cannot be loaded to be labeled'):
        item = dataset.labeling_item(0)
    for name, peer in model.bare_peers.items():
        with _saying(f'peer {name!r} cannot predict an unlabeled image'), torch.no_grad():
            peer(**peer.data_preprocessor(_joined([copy.deepcopy(item)]), False), mode='predict')


def _nothing(logits: Tensor, label: Tensor, *_: Any, reduction_override: str | None = None, **__: Any) -> Tensor:
    """Stand for a loss of ours that takes no part."""
    return logits.new_zeros(label.shape if reduction_override == 'none' else ())


def _sum(value: Any) -> float:
    return sum(float(one.float().mean()) for one in ([value] if isinstance(value, Tensor) else value))


def _spread(size: int, count: int) -> list[int]:
    """Choose some of many numbers, evenly; the same more than once if there are too few."""
    return [int(number) for number in np.linspace(0, size - 1, count)] if count else []


def _joined(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: [item[key] for item in items] for key in ('inputs', 'data_samples')}


@contextmanager
def _untouched(model: nn.Module) -> Iterator[None]:
    """Bring random numbers and modes of modules back to where they were; predict in evaluation mode."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with evaluation_mode(model.modules()), seeded(0), torch.random.fork_rng(gpus):
        yield


def _eagerly() -> AbstractContextManager[Any]:
    """Compile nothing for the small batch; before torch 2.6 that cannot be said."""
    stance = getattr(torch.compiler, 'set_stance', None)
    return nullcontext() if stance is None else stance('force_eager')


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Put an error of another package into a sentence; one of ours has its own."""
    try:
        yield
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        ours = trace is not None and trace.tb_frame.f_code.co_filename.startswith(str(Path(mmdmt.__file__).parent))
        if isinstance(error, (ValueError, FileNotFoundError)) and ours:
            if not what.startswith('peer'):
                raise
            raise ValueError(f'Before the first iteration, {what}: {error}') from error
        reason = ' '.join(str(error).split())[:400]
        raise ValueError(
            f'Before the first iteration, {what} ({type(error).__name__}: {reason.rstrip(".")}): mend the config, the '
            f'stack trace above says where; {SKIP}.'
        ) from error
