"""Wrap several models that teach each other as one model of MMEngine."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any

import torch
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmdmt.losses import DynamicMutualLoss
from mmdmt.method.draws import TRUTH
from mmdmt.method.online import OnlineLabels
from mmdmt.method.phases import Phase
from mmdmt.mixes import build_mixes
from mmdmt.models.names import ENSEMBLE
from mmdmt.models.online_labels import OnlineLabeling
from mmdmt.models.peer_building import agreed, build_peer, check_names, names_of
from mmdmt.models.peer_kinds import kind_of
from mmdmt.models.prediction import preprocessed
from mmdmt.models.starting_weights import load_plain_checkpoint, watched_init
from mmdmt.registry import MODELS

PSEUDO_COUNTS = ('pseudo_pixels', 'disagree', 'learner_wins')


@MODELS.register_module()
class DynamicMutualTraining(BaseModel):
    """Peers that teach each other by Dynamic Mutual Training.

    One training step takes each peer in turn: its own data preprocessor, one forward of its share of the batch, its
    losses, backward, its own optimizer; so only one peer's activations are alive at a time. Each data sample names its
    peer in its ``peer`` meta; a pseudo-labeled one has a ``pseudo_confidence`` beside its label
    (:class:`mmdmt.MutualDataset` makes both). With labels online all images are labeled before any peer is trained.

    Args:
        peers (dict[str, dict]): Configs of MMSegmentation's segmentors or of MMPretrain's classifiers by name, each
            with its own ``data_preprocessor``.
        loss (dict, optional): Replaces the cross entropy of every head; a head whose own loss is of this kind keeps it.
            Defaults to ``dict(type='mmdmt.DynamicMutualLoss')``.
        labelers (dict[str, str], optional): For each peer the one whose labels it learns from. Defaults to None: each
            learns from the next, the last from the first; a single peer learns from itself.
        mixes (list[dict], optional): What is done to a peer's preprocessed batch with pseudo labels, in this order:
            :class:`mmdmt.CutMix`, :class:`mmdmt.ClassMix`, :class:`mmdmt.BlockMask`, :class:`mmdmt.MixUp`. Defaults to
            None.
        predict (str): Whose result is the model's own: a peer's, or ``'ensemble'``, the mean of the peers' softmax.
            Defaults to ``'ensemble'``.
        load_from (dict[str, str], optional): Plain checkpoints of the toolbox by peer. Defaults to None.
        channels_last (bool): Whether peers on a CPU keep their weights with channels as the last dimension in memory,
            with which convolutions are faster there but not on a GPU. Results differ by rounding. Defaults to False.
        data_preprocessor (dict, optional): For peers without one of their own; MMEngine hands over that of the config.
            Defaults to None.
        pretrained, train_cfg (None): Must be None; ``mmseg.apis.init_model`` sets them.

    Raises:
        ValueError: If there is no peer, a name cannot be used, peers are of different kinds or predict different
            numbers of classes or one class, or a head does not compute a softmax cross entropy.
    """

    def __init__(
        self,
        peers: dict[str, dict[str, Any]],
        loss: dict[str, Any] | None = None,
        labelers: dict[str, str] | None = None,
        mixes: Sequence[dict[str, Any]] | None = None,
        predict: str = ENSEMBLE,
        load_from: dict[str, str] | None = None,
        channels_last: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
        pretrained: None = None,
        train_cfg: None = None,
    ) -> None:
        super().__init__()
        self.peer_names = names_of(peers)
        self._configs = peers
        self.predicted_by = predict
        self._load_from = dict(load_from or {})
        ring = dict(zip(self.peer_names, (*self.peer_names[1:], *self.peer_names[:1]), strict=True))
        self.labelers = ring if labelers is None else dict(labelers)
        check_names(self.peer_names, set(dir(self)) | set(self._modules), self.labelers, predict, self._load_from)
        for name, config in peers.items():
            self.add_module(name, build_peer(name, config, data_preprocessor))
        self._channels_last = channels_last
        if channels_last:
            self.to(memory_format=torch.channels_last)
        if data_preprocessor is not None:
            self._configs = {name: {'data_preprocessor': data_preprocessor, **peer} for name, peer in peers.items()}
        kinds = {name: kind_of(name, peer) for name, peer in self.bare_peers.items()}
        agreed('space of labels', {name: kind.space for name, kind in kinds.items()})
        self.kind = kinds[self.peer_names[0]]
        loss = {'type': 'mmdmt.DynamicMutualLoss'} if loss is None else loss
        self._losses = {name: self.kind.place_loss(name, peer, loss) for name, peer in self.bare_peers.items()}
        classes = {name: self.kind.num_classes(peer) for name, peer in self.bare_peers.items()}
        self.num_classes = int(agreed('num_classes', classes))
        self.mixes = build_mixes(mixes or (), self.kind.space)
        self.online: OnlineLabeling | None = self._labels_online(OnlineLabels(), None)  # without phases, too
        """What labels in each iteration of the present phase; None where labels are of a bank, true, or not needed."""
        self._register_state_dict_hook(_without_wrapper_prefix)
        self._register_load_state_dict_pre_hook(partial(_without_wrapper_prefix, self))

    def to(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Move the peers, as torch does; those that leave the CPU get the usual layout of weights back."""
        super().to(*args, **kwargs)
        if self._channels_last and next(self.parameters()).device.type != 'cpu':
            super().to(memory_format=torch.contiguous_format)
        return self

    @property
    def peers(self) -> dict[str, nn.Module]:
        """The peers by name, in the order of the ring; each inside its distributed wrapper where there is one."""
        return {name: getattr(self, name) for name in self.peer_names}

    @property
    def bare_peers(self) -> dict[str, BaseModel]:
        """The peers by name, without distributed wrappers."""
        return {name: peer.module if is_model_wrapper(peer) else peer for name, peer in self.peers.items()}

    def losses_of(self, name: str) -> list[DynamicMutualLoss]:
        """Return the losses put into a peer, that of its main head first."""
        return self._losses[name]

    def init_weights(self) -> None:
        """Initialize every peer as its config says, then load the plain checkpoints of ``load_from``."""
        with ExitStack() as stack:
            for name, peer in self.bare_peers.items():
                stack.enter_context(watched_init(name, peer))
            super().init_weights()
        for name, path in self._load_from.items():
            load_plain_checkpoint(name, self.bare_peers[name], path)

    def fresh_weights(self, name: str) -> dict[str, Tensor]:
        """Return the weights that a peer would start with by its config and ``load_from``, were it built now."""
        peer = MODELS.build(self._configs[name])
        with watched_init(name, peer):
            peer.init_weights()
        if name in self._load_from:
            load_plain_checkpoint(name, peer, self._load_from[name])
        return dict(peer.state_dict())

    def begin_phase(self, phase: Phase, averages: Mapping[str, BaseModel] | None = None) -> None:
        """Take over what is particular to a phase; ``averages`` of peers label online where it says so."""
        online = phase.online_labels
        self.online = None if online is None or online.labeler == TRUTH else self._labels_online(online, averages)
        for loss in chain(*self._losses.values()):
            loss.floor = phase.floor

    def _labels_online(self, settings: OnlineLabels, averages: Mapping[str, BaseModel] | None) -> OnlineLabeling:
        models = averages if averages is not None and settings.averaged else self.bare_peers
        main = {name: placed[0] for name, placed in self._losses.items()}
        return OnlineLabeling(settings, self.kind, models, self.labelers, main, self.num_classes)

    def set_progress(self, progress: float) -> None:
        """Set the progress through the phase, in (0, 1], for losses whose exponents grow with it."""
        for loss in chain(*self._losses.values()):
            loss.progress = progress

    def train_step(self, data: dict[str, Any], optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Train each peer on its share of the batch.

        Args:
            data (dict): ``inputs``, a list of (3, H, W) uint8 tensors, and ``data_samples`` with ``peer`` in their
                meta.
            optim_wrapper (OptimWrapperDict): One for each peer.

        Returns:
            dict[str, Tensor]: Detached scalars to log: ``loss``, the sum over peers; ``<peer>.decode.loss_dmt`` and
            what else the heads report; for batches with pseudo labels ``<peer>.mean_weight`` of all valid labels,
            ``<peer>.disagreement`` and ``<peer>.learner_wins``, shares of the pseudo labels, and
            ``<peer>.pseudo_share``, their share of the weights in the loss.
        """
        log: dict[str, Tensor] = {}
        shares = self._split(data)
        self.label_online(shares, optim_wrapper)
        for name, batch in shares.items():
            peer, optimizer, placed = self.peers[name], optim_wrapper[name], self._losses[name]
            for one in placed:
                one.counts = {}
            with optimizer.optim_context(peer):
                losses = self.kind.losses(peer, self.bare_peers[name], batch, placed, self.mixes)
            loss, scalars = self.parse_losses(losses)
            optimizer.update_params(loss)
            del scalars['loss']
            log['loss'] = log.get('loss', 0) + loss.detach()
            log.update({f'{name}.{key}': value.detach() for key, value in scalars.items()})
            log.update({f'{name}.{key}': value for key, value in self._agreement(name).items()})
        return log

    def label_online(self, shares: Mapping[str, dict[str, Any]], optim_wrapper: OptimWrapperDict) -> None:
        """Label what is labeled in this iteration, each labeler in the precision of its optimizer wrapper."""
        if self.online is not None:
            models = self.online.models
            self.online.label(shares, lambda name: optim_wrapper[name].optim_context(models[name]))

    def _split(self, data: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Give each peer its share of the batch, in the order of the peers."""
        shares: dict[str, dict[str, Any]] = {name: {'inputs': [], 'data_samples': []} for name in self.peer_names}
        for image, sample in zip(data['inputs'], data['data_samples'], strict=True):
            if sample.metainfo.get('peer') not in shares:
                raise ValueError(
                    f'The batch holds an image for peer {sample.metainfo.get("peer")!r}, but the peers are '
                    f'{list(shares)}: train with dataset type mmdmt.MutualDataset and batch_sampler type '
                    'mmdmt.MutualBatchSampler.'
                )
            shares[sample.peer]['inputs'].append(image)
            shares[sample.peer]['data_samples'].append(sample)
        return shares

    def _agreement(self, name: str) -> dict[str, Tensor]:
        counts = self._losses[name][0].counts
        if not counts:
            return {}
        if self.online is not None:
            weighed = self.online.counts.get(name, {})  # on the weak view
            counts = {**counts, **{key: weighed[key] for key in PSEUDO_COUNTS if key in weighed}}
        pseudo_pixels = counts['pseudo_pixels'].clamp(min=1)
        return {
            'mean_weight': counts['weight'] / counts['pixels'].clamp(min=1),
            'disagreement': counts['disagree'] / pseudo_pixels,
            'learner_wins': counts['learner_wins'] / pseudo_pixels,
            'pseudo_share': counts['pseudo_share'],
        }

    def val_step(self, data: dict[str, Any]) -> list[BaseDataElement]:
        """Predict with every peer: see :meth:`test_step`."""
        return self.test_step(data)

    def test_step(self, data: dict[str, Any]) -> list[BaseDataElement]:
        """Predict with every peer, one forward each, and with the ensemble; ``data`` as of :meth:`train_step`.

        Returns:
            list[SegDataSample | DataSample]: For each image what the toolbox's own models predict, of the one that
            ``predict`` names, and in ``peers`` that of each peer and of the ``ensemble``, such as
            ``peers.left.pred_sem_seg`` (int64, (1, H, W)) and ``peers.left.seg_logits``.
        """
        return self.combine(self.predict_each(data))

    def predict_each(self, data: dict[str, Any]) -> dict[str, list[BaseDataElement]]:
        """Predict with every peer, by its name: for each image its data sample. Those of ``data`` stay as they are."""
        results = {}
        for name, peer in self.bare_peers.items():
            own_data = {**data, 'data_samples': [sample.new() for sample in data['data_samples']]}
            predicted: dict[int, BaseDataElement] = {}
            for numbers, images, samples in preprocessed(peer, own_data):  # images of one size together
                predicted |= zip(numbers, peer(images, samples, mode='predict'), strict=True)
            results[name] = [predicted[number] for number in range(len(predicted))]
        return results

    def combine(self, results: dict[str, list[BaseDataElement]]) -> list[BaseDataElement]:
        """Join what the peers predict, image by image; see :meth:`test_step`."""
        combined = []
        for samples in zip(*results.values(), strict=True):
            by_name = {**dict(zip(results, samples, strict=True)), ENSEMBLE: self.kind.average(samples)}
            fields = {
                name: BaseDataElement(**{field: sample.get(field) for field in self.kind.predicted})
                for name, sample in by_name.items()
            }
            combined.append(by_name[self.predicted_by])
            combined[-1].set_field(BaseDataElement(**fields), 'peers')
        return combined

    @property
    def out_channels(self) -> int:
        """Refuse ``SegTTAModel``, which asks for it, and would leave the peers' predictions those of the last view."""
        raise ValueError(
            "Test-time augmentation of peers needs tta_model=dict(type='mmdmt.PeerTTAModel'), which `python -m mmdmt "
            'test --tta` sets.'
        )

    def forward(
        self, inputs: Tensor, data_samples: list[BaseDataElement] | None = None, mode: str = 'tensor'
    ) -> dict[str, Any]:
        """Return the raw output of every peer for one normalized batch, (N, 3, H, W) float32, in ``mode='tensor'``."""
        if mode != 'tensor':
            raise ValueError(
                f'mode={mode!r} of DynamicMutualTraining.forward: peers do not share their preprocessing, so call '
                'train_step(), val_step() or test_step() with unprocessed data.'
            )
        return {name: peer(inputs, mode='tensor') for name, peer in self.peers.items()}


def _without_wrapper_prefix(model: DynamicMutualTraining, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    """Name the weights of a peer the same inside and outside its distributed wrapper.

    MMEngine's loader steps over the wrapper while ``state_dict()`` does not: without this a distributed run would write
    checkpoints that nothing reads back.
    """
    given = dict(weights)
    weights.clear()
    for key, value in given.items():
        for peer in model.peer_names:
            if key.startswith(wrapped := f'{prefix}{peer}.module.'):
                key = f'{prefix}{peer}.{key.removeprefix(wrapped)}'
        weights[key] = value
