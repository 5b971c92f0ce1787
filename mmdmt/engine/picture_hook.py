"""Draw truth, predictions, pseudo labels and weights of a few images in every phase."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from mmdmt.engine.dmt_hook import DMTHook
from mmdmt.engine.peers_of_run import averaged_weights, labels_of, model_of
from mmdmt.evaluation_mode import evaluation_mode
from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.draws import ONLINE, TRUTH, WEAK_VIEW, Draw
from mmdmt.method.phases import Phase
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.prediction import forward_crops, predict_logits
from mmdmt.registry import HOOKS

NO_CLASS = 255


@HOOKS.register_module()
class PictureHook(Hook):
    """Draw a few images in every phase: truth, predictions, pseudo labels and their weights.

    Note:
        :class:`mmdmt.DMTHook` calls it after every labeling, when the peers hold the weights that labeled, and when a
        phase with online labels begins; it acts once more after training. The main process writes a sheet an image to
        ``<work_dir>/pictures/phase_<t>/<name>.png``, at the end to ``pictures/end``, and to every visualization
        backend. Training goes on as if nothing had been drawn, bit for bit.

        Both views of :class:`mmdmt.TwoViews` are shown of one training crop, in an online phase with its labels and
        their weights. Weights are those of the learner when labels are made, with the exponents of a phase's end.

        It needs matplotlib, which ``pip install 'mmdmt[demo]'`` installs.

    Args:
        images (int | Sequence[int]): How many unlabeled images, spread evenly over the data set, or which. Defaults
            to 4.
        val_images (int | Sequence[int]): Likewise of the validation set; these have no pseudo labels. Defaults to 0.

    Raises:
        ValueError: If a number is negative, there is no such image, or the peers are classifiers.
        ImportError: If matplotlib is not installed.
    """

    priority = 85  # after DMTHook (80)

    def __init__(self, images: int | Sequence[int] = 4, val_images: int | Sequence[int] = 0) -> None:
        for name, value in (('images', images), ('val_images', val_images)):
            if min([value] if isinstance(value, int) else value, default=0) < 0:
                raise ValueError(f'{name}={value} of PictureHook: give how many images, or their numbers from 0 on.')
        self.images = images
        self.val_images = val_images
        self._chosen: tuple[list[int], list[int]] = ([], [])

    def before_run(self, runner: Runner) -> None:
        """Check that there is something to draw, and with what, before anything else happens."""
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return  # not built: the run only tests
        if not find_spec('matplotlib'):
            raise ImportError(
                "PictureHook draws with matplotlib, which is not installed: pip install 'mmdmt[demo]', or take the "
                'hook out of custom_hooks.'
            )
        if not any(isinstance(hook, DMTHook) for hook in runner.hooks):
            raise ValueError("PictureHook draws phases, but there are none: add dict(type='mmdmt.DMTHook', ...).")
        if model_of(runner).kind.space != 'pixels':
            raise ValueError(
                'PictureHook draws labels of pixels, but the peers are classifiers: take it out of custom_hooks.'
            )
        validated = 0 if runner.val_loop is None else len(runner.val_loop.dataloader.dataset)
        unlabeled = runner.train_dataloader.dataset.num_unlabeled()
        self._chosen = _choose('images', self.images, unlabeled), _choose('val_images', self.val_images, validated)

    def after_labeling(self, runner: Runner) -> None:
        """Draw the phase that begins; called by DMTHook."""
        self._draw_phase(runner, 'labeled after iteration')

    def before_online_phase(self, runner: Runner) -> None:
        """Draw the phase that begins; called by DMTHook."""
        hook = _dmt_hook(runner)
        online = hook.curriculum[hook.phase].online_labels
        with averaged_weights(runner) if online is not None and online.averaged else nullcontext():
            self._draw_phase(runner, 'labels online from iteration')

    def after_train(self, runner: Runner) -> None:
        """Draw what the last phase has made of its labels."""
        step = runner.train_loop.iter
        with averaged_weights(runner):
            self._draw(runner, 'end', f'end of training, iteration {step}', step)

    def _draw_phase(self, runner: Runner, what: str) -> None:
        hook = _dmt_hook(runner)
        step = hook.curriculum.start(hook.phase)
        self._draw(runner, f'phase_{hook.phase}', f'phase {hook.phase}, {what} {step}', step)

    @torch.no_grad()
    def _draw(self, runner: Runner, folder: str, title: str, step: int) -> None:
        if not is_main_process():
            return
        from mmdmt.visualization import draw_phase

        model, metainfo = model_of(runner), runner.train_dataloader.dataset.metainfo
        with evaluation_mode(model.bare_peers.values()):
            for name, view in self._views(runner):
                path = Path(runner.work_dir) / 'pictures' / folder / f'{name}.png'
                sheet = draw_phase(path, view, f'{name}: {title}', metainfo['classes'], metainfo['palette'])
                runner.visualizer.add_image(f'picture_{name}', sheet, step)

    def _views(self, runner: Runner) -> Iterator[tuple[str, Any]]:
        """Yield names of images and what is to be drawn of each."""
        dataset, model, banks = runner.train_dataloader.dataset, model_of(runner), _banks(runner)
        phase = _dmt_hook(runner).curriculum[_dmt_hook(runner).phase]
        for image in self._chosen[0]:
            labels = {name: bank.read(image) for name, bank in banks.items()}
            for label, _ in labels.values():
                label[label == dataset.ignored] = NO_CLASS
            item = dataset.labeling_item(image)
            view = _view(model, item, _truth(dataset, image), labels, phase.floor)
            if phase.learns_pseudo_labels:
                view = replace(view, crop=_crop(model, dataset, image, phase))
            yield _name('unlabeled', image, item), view
        for image in self._chosen[1]:
            item = runner.val_dataloader.dataset[image]
            truth = item['data_samples'].gt_sem_seg.data[0].numpy().copy()
            truth[truth == dataset.ignored] = NO_CLASS
            yield _name('val', image, item), _view(model, item, truth, {}, phase.floor)


def _banks(runner: Runner) -> dict[str, Any]:
    """Open the banks of the present phase; none if it has none, or has lost them: the end of a run needs none."""
    folder = _dmt_hook(runner).bank_folder(runner)
    try:
        return {name: labels_of(runner).bank(folder / name) for name in set(model_of(runner).labelers.values())}
    except (FileNotFoundError, ValueError):
        return {}


def _view(
    model: DynamicMutualTraining,
    item: dict[str, Any],
    truth: np.ndarray | None,
    labels: dict[str, tuple[np.ndarray, np.ndarray]],
    floor: float,
) -> Any:
    from mmdmt.visualization import PhaseView

    image = _picture(item['inputs'])
    logits = {name: predict_logits(peer, pseudo_collate([item]))[0] for name, peer in model.bare_peers.items()}
    predictions = {name: of_peer.argmax(dim=0) for name, of_peer in logits.items()}
    if len(logits) > 1:
        mean = torch.stack([of_peer.float().softmax(dim=0) for of_peer in logits.values()]).mean(dim=0)
        predictions[ENSEMBLE] = mean.argmax(dim=0)
    same_size = truth is not None and truth.shape == image.shape[:2]
    return PhaseView(
        image=image,
        truth=truth if same_size else None,
        predictions={name: label.to(torch.uint8).cpu().numpy() for name, label in predictions.items()},
        pseudo_labels={name: label for name, (label, _) in labels.items()},
        weights=_weights_of(model, logits, labels, floor),
        taught_by=model.labelers if labels else {},
    )


def _crop(model: DynamicMutualTraining, dataset: Any, image: int, phase: Phase) -> Any:
    """What a training crop is to labelers and learners; None where there is nothing to see that the image lacks."""
    from mmdmt.visualization import CropView

    item = dataset[Draw(model.peer_names[0], image, image, ONLINE)]
    weak = item['data_samples'].get(WEAK_VIEW)
    views = None if weak is None else _picture(weak.data), _picture(item['inputs'])
    if phase.online_labels is None or phase.online_labels.labeler == TRUTH:
        return None if weak is None else CropView(*views)
    labels, weights = _taught_online(model, item)
    by = {name: ENSEMBLE if phase.online_labels.labeler == ENSEMBLE else model.labelers[name] for name in labels}
    pseudo_labels = {by[name]: label for name, label in labels.items()}
    return CropView(*views, pseudo_labels=pseudo_labels, weights=weights, taught_by=by)


def _taught_online(
    model: DynamicMutualTraining, item: dict[str, Any]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Label a crop as an iteration of an online phase does; return the labels of each learner and their weights.

    A share of each class is one of this crop, where an iteration takes it of a whole batch or of many.
    """
    assert model.online is not None
    labeling = replace(model.online, models=model.bare_peers, seen={})
    labels, weights = {}, {}
    for name, peer in model.bare_peers.items():
        loss, sample = _loss_at_end(model, name), item['data_samples'].clone()
        replace(labeling, losses={name: loss}).label({name: {'inputs': [item['inputs']], 'data_samples': [sample]}})
        label = sample.gt_sem_seg.data
        labels[name] = label[0].to(torch.uint8).cpu().numpy()
        if 'pseudo_weight' in sample:
            of_rule = sample.pseudo_weight.data
        else:
            shape = tuple(item['inputs'].shape[1:])
            seen = sample.new(metainfo={'img_shape': shape, 'ori_shape': shape}, data={})
            (predicted,) = forward_crops(peer, {'inputs': [item['inputs']], 'data_samples': [seen]})
            logits = predicted.logits[:, :, *predicted.windows[0]]
            _, of_rule = loss.weigh(logits, label, sample.pseudo_confidence.data, loss.ignore_index)
        weights[name] = of_rule[0].cpu().numpy()
    return labels, weights


def _loss_at_end(model: DynamicMutualTraining, name: str) -> DynamicMutualLoss:
    """Copy the loss of a learner, because weighing leaves counts behind, as it is at the end of a phase."""
    loss = copy.copy(model.losses_of(name)[0])
    loss.progress = 1.0
    return loss


def _picture(image: Tensor) -> np.ndarray:
    return np.asarray(image.permute(1, 2, 0))


def _name(dataset: str, image: int, item: dict[str, Any]) -> str:
    """Name an image; its number keeps images of one name in different folders apart."""
    return f'{dataset}_{image}_{PurePath(item["data_samples"].metainfo.get("img_path", "")).stem}'


def _weights_of(
    model: DynamicMutualTraining,
    logits: dict[str, Tensor],
    labels: dict[str, tuple[np.ndarray, np.ndarray]],
    floor: float,
) -> dict[str, np.ndarray]:
    """Weigh the pseudo labels of a bank as the learners' losses do."""
    weights = {}
    for name, labeler in model.labelers.items() if labels else ():
        loss = _loss_at_end(model, name)
        loss.floor = floor
        label, confidence = (torch.from_numpy(one).to(logits[name].device)[None] for one in labels[labeler])
        _, of_image = loss.weigh(logits[name][None], label.long(), confidence)
        weights[name] = of_image[0].cpu().numpy()
    return weights


def _truth(dataset: Any, image: int) -> np.ndarray | None:
    with suppress(ValueError):  # the report of the labeling has warned
        truth: np.ndarray | None = dataset.truth(image)
        return truth
    return None


def _choose(setting: str, images: int | Sequence[int], available: int) -> list[int]:
    """Return the numbers of the images to draw."""
    if isinstance(images, int):
        if images and not available:
            raise ValueError(f'{setting}={images} of PictureHook, but there is no such image: set it to 0.')
        return sorted(set(np.linspace(0, available - 1, min(images, available)).round().astype(int).tolist()))
    beyond = [image for image in images if image >= available]
    if beyond:
        raise ValueError(f'{setting} of PictureHook names image {beyond[0]}, but they are 0..{available - 1}.')
    return list(images)


def _dmt_hook(runner: Runner) -> DMTHook:
    return next(hook for hook in runner.hooks if isinstance(hook, DMTHook))
