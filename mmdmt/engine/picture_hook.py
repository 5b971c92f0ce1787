"""Draw truth, predictions, pseudo labels and weights of a few images in every phase."""

import copy
from collections.abc import Iterator, Mapping
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
from numpy.typing import NDArray
from torch import Tensor

from mmdmt.engine.dmt_hook import DMTHook
from mmdmt.engine.peers_of_run import Averages
from mmdmt.evaluation_mode import evaluation_mode
from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.draws import ONLINE, TRUTH, WEAK_VIEW, Draw
from mmdmt.method.phases import Phase
from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.prediction import forward_crops, predict_logits
from mmdmt.registry import HOOKS
from mmdmt.settings import Number, check_settings

NO_CLASS = 255


@HOOKS.register_module()
class PictureHook(Hook):
    """Draw a few images in every phase: truth, predictions, pseudo labels and their weights.

    Note:
        :class:`mmdmt.DMTHook` calls it after every labeling and when a phase with online labels begins; it acts once
        more after training. The main process writes a sheet an image to ``<work_dir>/pictures/phase_<t>/<name>.png``,
        at the end to ``pictures/end``, and to every visualization backend. Training goes on as if nothing had been
        drawn, bit for bit. Both views of :class:`mmdmt.TwoViews` are shown of one training crop, in an online phase
        with its labels. Weights are those of the learner when labels are made, with the exponents of a phase's end.

    Args:
        images (int): How many unlabeled images, spread evenly over the data set. Defaults to 4.
        val_images (int): Likewise of the validation set; these have no pseudo labels. Defaults to 0.

    Raises:
        ValueError: If a number is negative, there is no such image, or the peers are classifiers.
        ImportError: If matplotlib is not installed.
    """

    priority = 85  # after DMTHook (80)
    SETTINGS = {'images': Number(0, whole=True), 'val_images': Number(0, whole=True)}

    def __init__(self, images: int = 4, val_images: int = 0) -> None:
        check_settings(self, locals())
        self.images = images
        self.val_images = val_images

    def before_run(self, runner: Runner) -> None:
        """Check that there is something to draw, and with what, before anything else happens."""
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return  # not built: the run only tests
        if not find_spec('matplotlib'):
            raise ImportError(
                "PictureHook draws with matplotlib, which is not installed: pip install 'mmdmt[demo]', or take the "
                'hook out of custom_hooks.'
            )
        run = next((hook for hook in runner.hooks if isinstance(hook, DMTHook)), None)
        if run is None:
            raise ValueError("PictureHook draws phases, but there are none: add dict(type='mmdmt.DMTHook', ...).")
        self._run = run
        if run.model.kind.space != 'pixels':
            raise ValueError(
                'PictureHook draws labels of pixels, but the peers are classifiers: take it out of custom_hooks.'
            )
        if self.val_images and not (runner.val_loop and len(runner.val_loop.dataloader.dataset)):
            raise ValueError(
                f'val_images={self.val_images} of PictureHook, but the run validates on no image: set it to 0.'
            )

    def after_labeling(self, runner: Runner) -> None:
        """Draw the phase that begins, by the weights that labeled; called by DMTHook."""
        self._draw_phase(runner, 'labeled after iteration')

    def before_online_phase(self, runner: Runner) -> None:
        """Draw the phase that begins; called by DMTHook."""
        online = self._run.curriculum[self._run.phase].online_labels
        with Averages(runner.hooks).in_place() if online is not None and online.averaged else nullcontext():
            self._draw_phase(runner, 'labels online from iteration')

    def after_train(self, runner: Runner) -> None:
        """Draw what the last phase has made of its labels."""
        step = runner.train_loop.iter
        with Averages(runner.hooks).in_place():
            self._draw(runner, 'end', f'end of training, iteration {step}', step)

    def _draw_phase(self, runner: Runner, what: str) -> None:
        phase = self._run.phase
        step = self._run.curriculum.start(phase)
        self._draw(runner, f'phase_{phase}', f'phase {phase}, {what} {step}', step)

    @torch.no_grad()
    def _draw(self, runner: Runner, folder: str, title: str, step: int) -> None:
        if not is_main_process():
            return
        from mmdmt.visualization import draw_phase

        metainfo = runner.train_dataloader.dataset.metainfo
        with evaluation_mode(self._run.model.bare_peers.values()):
            for name, view in self._views(runner):
                path = Path(runner.work_dir) / 'pictures' / folder / f'{name}.png'
                sheet = draw_phase(path, view, f'{name}: {title}', metainfo['classes'], metainfo['palette'])
                runner.visualizer.add_image(f'picture_{name}', sheet, step)

    def _views(self, runner: Runner) -> Iterator[tuple[str, Any]]:
        """Yield names of images and what is to be drawn of each."""
        dataset, model, phase = runner.train_dataloader.dataset, self._run.model, self._run.curriculum[self._run.phase]
        folder, banks = self._run.labels.folder(self._run.phase), dict[str, Any]()
        with suppress(FileNotFoundError, ValueError):  # a phase online has none, and the end of a run needs none
            banks = {name: dataset.labels.bank(folder / name) for name in set(model.labelers.values())}
        for image in _spread(self.images, dataset.num_unlabeled()):
            labels = {name: bank.read(image) for name, bank in banks.items()}
            for label, _ in labels.values():
                label[label == dataset.ignored] = NO_CLASS
            item, truth = dataset.labeling_item(image), None
            with suppress(ValueError):  # the report of the labeling has warned
                truth = dataset.truth(image)
            view = _view(model, item, truth, labels, phase.floor)
            if phase.learns_pseudo_labels:
                view = replace(view, crop=_crop(model, dataset, image, phase))
            yield _name('unlabeled', image, item), view
        validated = runner.val_dataloader.dataset if self.val_images else ()
        for image in _spread(self.val_images, len(validated)):
            item = validated[image]
            truth = item['data_samples'].gt_sem_seg.data[0].numpy().copy()
            truth[truth == dataset.ignored] = NO_CLASS
            yield _name('val', image, item), _view(model, item, truth, {}, phase.floor)


def _view(
    model: DynamicMutualTraining,
    item: dict[str, Any],
    truth: NDArray[Any] | None,
    labels: Mapping[str, tuple[NDArray[Any], NDArray[np.float32]]],
    floor: float,
) -> Any:
    """Return what peers say of an image, and how the learners' losses weigh the labels of banks."""
    from mmdmt.visualization import PhaseView

    image = _picture(item['inputs'])
    logits = {name: predict_logits(peer, pseudo_collate([item]))[0] for name, peer in model.bare_peers.items()}
    predictions = {name: of_peer.argmax(dim=0) for name, of_peer in logits.items()}
    if len(logits) > 1:
        mean = torch.stack([of_peer.float().softmax(dim=0) for of_peer in logits.values()]).mean(dim=0)
        predictions[ENSEMBLE] = mean.argmax(dim=0)
    weights = {}
    for name, labeler in model.labelers.items() if labels else ():
        loss = _loss_at_end(model, name)
        loss.floor = floor
        label, confidence = (torch.from_numpy(one).to(logits[name].device)[None] for one in labels[labeler])
        weights[name] = loss.weigh(logits[name][None], label.long(), confidence)[1][0].cpu().numpy()
    return PhaseView(
        image=image,
        truth=truth if truth is not None and truth.shape == image.shape[:2] else None,
        predictions={name: label.to(torch.uint8).cpu().numpy() for name, label in predictions.items()},
        pseudo_labels={name: label for name, (label, _) in labels.items()},
        weights=weights,
        taught_by=model.labelers if labels else {},
    )


def _crop(model: DynamicMutualTraining, dataset: Any, image: int, phase: Phase) -> Any:
    """What a training crop is to labelers and learners; None where there is nothing to see that the image lacks.

    In an online phase it is labeled as an iteration does, but a share of each class is one of this crop alone.
    """
    from mmdmt.visualization import PhaseView

    item, online = dataset[Draw(model.peer_names[0], image, image, ONLINE)], phase.online_labels
    weak = item['data_samples'].get(WEAK_VIEW)
    view = PhaseView(_picture(item['inputs']), labelers_view=None if weak is None else _picture(weak.data))
    if online is None or online.labeler == TRUTH:
        return None if weak is None else view
    assert model.online is not None
    losses = {name: _loss_at_end(model, name) for name in model.bare_peers}
    shares = {name: {'inputs': [item['inputs']], 'data_samples': [item['data_samples'].clone()]} for name in losses}
    replace(model.online, models=model.bare_peers, losses=losses, seen={}).label(shares)
    labels, weights = {}, {}
    by = {name: ENSEMBLE if online.labeler == ENSEMBLE else model.labelers[name] for name in losses}
    for name, loss in losses.items():
        sample = shares[name]['data_samples'][0]
        label = sample.gt_sem_seg.data
        labels[by[name]] = label[0].to(torch.uint8).cpu().numpy()
        if 'pseudo_weight' in sample:
            of_rule = sample.pseudo_weight.data
        else:
            shape, peer = tuple(item['inputs'].shape[1:]), model.bare_peers[name]
            seen = sample.new(metainfo={'img_shape': shape, 'ori_shape': shape}, data={})
            (predicted,) = forward_crops(peer, {'inputs': [item['inputs']], 'data_samples': [seen]})
            logits = predicted.logits[:, :, *predicted.windows[0]]
            _, of_rule = loss.weigh(logits, label, sample.pseudo_confidence.data, loss.ignore_index)
        weights[name] = of_rule[0].cpu().numpy()
    return replace(view, pseudo_labels=labels, weights=weights, taught_by=by)


def _loss_at_end(model: DynamicMutualTraining, name: str) -> DynamicMutualLoss:
    """Copy the loss of a learner, because weighing leaves counts behind, as it is at the end of a phase."""
    loss = copy.copy(model.losses_of(name)[0])
    loss.progress = 1.0
    return loss


def _picture(image: Tensor) -> NDArray[Any]:
    return np.asarray(image.permute(1, 2, 0))


def _name(dataset: str, image: int, item: dict[str, Any]) -> str:
    """Name an image; its number keeps images of one name in different folders apart."""
    return f'{dataset}_{image}_{PurePath(item["data_samples"].metainfo.get("img_path", "")).stem}'


def _spread(images: int, available: int) -> list[int]:
    """Return the numbers of the images to draw, spread evenly."""
    return sorted(set(np.linspace(0, available - 1, min(images, available)).round().astype(int).tolist()))
