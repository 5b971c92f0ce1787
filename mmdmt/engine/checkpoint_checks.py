"""Check that a checkpoint fits the run that starts from it, before MMEngine loads a part of it."""

from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.checkpoint_state import check_parts, check_state
from mmdmt.engine.peers_of_run import model_of
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.weights import (
    check_near,
    check_sound,
    fetch_checkpoint,
    fit,
    plain_names,
    read_checkpoint,
    strip_wrapper_prefix,
    tensors_of,
    way_in_for_backbones,
)


def check_fit(runner: Runner, total: int) -> dict[str, Any] | None:
    """Check the checkpoint that a run resumes or takes its weights from; MMEngine skips what does not fit.

    Args:
        runner (Runner): About to load it.
        total (int): Iterations of the whole run.

    Returns:
        dict[str, Any] | None: The content of the checkpoint that it resumes; None if there is none.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is damaged, cannot be read safely, or is of another model.
    """
    model = model_of(runner)
    if not isinstance(model, DynamicMutualTraining):
        return None
    resumes, path = runner._resume, runner._load_from
    if path is None:
        return None
    what = 'the checkpoint to resume' if resumes else 'load_from'
    checkpoint = fetch_checkpoint(path, what) if '://' in path else read_checkpoint(path, what, mmap=True)
    given = plain_names(tensors_of(path, what, checkpoint))
    strip_wrapper_prefix(given, '', model.peer_names)
    if resumes:
        check_parts(path, checkpoint)
        _check_resumed(path, given, model)  # before values that another network makes strange
        check_sound(given, model.state_dict(), path, what)
        check_state(path, checkpoint, runner, total)
        return checkpoint
    _check_loaded(path, given, model)
    if not isinstance(runner.optim_wrapper, OptimWrapper):
        _check_tested(path, given, model)
    check_sound(given, model.state_dict(), path, what)
    return None


def _check_tested(path: str, given: dict[str, Tensor], model: Any) -> None:
    found = fit(given, model.state_dict())
    if not found.is_complete:
        raise ValueError(f'{path} does not fit this config: {found.describe()}; give a checkpoint of its run.')


def _check_resumed(path: str, given: dict[str, Tensor], model: Any) -> None:
    wanted = model.state_dict()
    lost = sorted(key for key in wanted if not _fits(key, given, wanted))
    if lost:
        raise ValueError(
            f'{path}, the checkpoint to resume, lacks {len(lost)} tensors of the model, first {lost[0]!r}, or has them '
            'in another shape or type: resume with the config that wrote it, or start from its weights with load_from, '
            'without --resume.'
        )


def _check_loaded(path: str, given: dict[str, Tensor], model: Any) -> None:
    wanted = model.state_dict()
    for name in model.peer_names:
        own, of_peer = (_of_peer(name, weights) for weights in (given, wanted))
        if not own:
            heads = any('head' in key.partition('.')[0] for key in given)  # of a whole network
            backbone = '' if heads else way_in_for_backbones(given, of_peer, path)
            remedy = (
                f'its backbone alone fits, so write {backbone} in peers[{name!r}]'
                if backbone
                else (
                    'give a checkpoint of a run with these peers, or that of a single segmentor as '
                    f"model.load_from=dict({name}='...')"
                )
            )
            raise ValueError(
                f'load_from={path} has nothing for peer {name!r} among its {len(given)} tensors: {remedy}.'
            )
        remedy = 'give a checkpoint of a run with these very peers'
        check_near(fit(own, of_peer), path, f'load_from for peer {name!r}', remedy)


def _of_peer(name: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    own = {key.removeprefix(f'{name}.'): value for key, value in weights.items() if key.startswith(f'{name}.')}
    return plain_names(own)


def _fits(key: str, given: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    own = wanted[key]
    return key in given and (given[key].shape, given[key].dtype) == (own.shape, own.dtype)


def rename_weights(checkpoint: dict[str, Any]) -> None:
    """Give the weights of a checkpoint that was checked the plain names by which MMEngine loads them.

    Args:
        checkpoint (dict): As it was loaded; changed in place.
    """
    weights = plain_names(tensors_of('the checkpoint', 'load_from', checkpoint))
    checkpoint['state_dict'] = {key.replace('._orig_mod.', '.'): value for key, value in weights.items()}
