"""Check that a checkpoint fits the run that starts from it, before MMEngine loads a part of it."""

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.guards.checkpoint_state import check_parts, check_state
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.peer_weights import strip_wrapper_prefix
from mmdmt.models.weights_file import fetch_checkpoint, read_checkpoint, tensors_of


def check_fit(runner: Runner, total: int) -> None:
    """Check the checkpoint that a run resumes or takes its weights from; MMEngine skips what does not fit.

    Args:
        runner (Runner): About to load it.
        total (int): Iterations of the whole run.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is damaged, cannot be read safely, or is of another model.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if not isinstance(model, DynamicMutualTraining):
        return
    resumes, path = runner._resume, runner._load_from
    if path is None:
        return
    what = 'the checkpoint to resume' if resumes else 'load_from'
    checkpoint = fetch_checkpoint(path, what) if '://' in path else read_checkpoint(path, what, mmap=True)
    given = {key.removeprefix('module.'): value for key, value in tensors_of(path, what, checkpoint).items()}
    strip_wrapper_prefix(given, '', model.peer_names)
    if resumes:
        check_parts(path, checkpoint)
        _check_resumed(path, given, model)  # before values that another network makes strange
        check_state(path, checkpoint, runner, total)
    else:
        _check_loaded(path, given, model)


def _check_resumed(path: str, given: dict[str, Tensor], model: Any) -> None:
    wanted = model.state_dict()
    lost = sorted(key for key in wanted if not _fits(key, given, wanted))
    if lost:
        raise ValueError(
            f'{path}, the checkpoint to resume, lacks {len(lost)} tensors of the model, first {lost[0]!r}, or has them '
            'in another shape: resume with the config that wrote it, or start from its weights with load_from, without '
            '--resume.'
        )


def _check_loaded(path: str, given: dict[str, Tensor], model: Any) -> None:
    wanted = model.state_dict()
    for name in model.peer_names:
        if not any(_fits(key, given, wanted) for key in wanted if key.startswith(f'{name}.')):
            raise ValueError(
                f'load_from={path} has nothing for peer {name!r} among its {len(given)} tensors: give a checkpoint of '
                f"a run with these peers, or that of a single segmentor as model.load_from=dict({name}='...')."
            )


def _fits(key: str, given: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return key in given and given[key].shape == wanted[key].shape
