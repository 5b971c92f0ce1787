"""Iterations of two peers: against plain training, with labels made online against those of a bank, and mixing."""

from functools import partial
from typing import Any

import networks
import numpy as np
import torch
from measure import Rows, interleaved, peak_bytes, ratios
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from torch import nn

from mmdmt.method.draws import ONLINE, WEAK_VIEW
from mmdmt.method.mixing import Batch
from mmdmt.method.phases import Phase
from mmdmt.mixes import build_mixes
from mmdmt.models.mutual_training import DynamicMutualTraining

PEERS = ('left', 'right')
CLASSES = 21
MIXES = ('CutMix', 'ClassMix', 'BlockMask')


def iteration_time(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> Rows:
    """Time an iteration of mutual training, and the sum of one plain iteration of each network."""
    both, each = mutual(crop, images, width), plain(crop, images, width)
    times = interleaved({'mutual': both.step, 'plain': lambda: [one.step() for one in each]}, repeats)
    return {'iteration_vs_plain': ratios(times, 'mutual', 'plain')}


def iteration_memory(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> Rows:
    """Weigh an iteration of mutual training against a plain one beside the other peer's weights and optimizer."""
    each = plain(crop, images, width)
    ours = mutual(crop, images, width).held_bytes()
    theirs = max(one.held_bytes() - one.kept_bytes() for one in each) + sum(one.kept_bytes() for one in each)
    return {'iteration_memory_vs_plain': [ours / theirs]}


def online_time(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> Rows:
    """Time an iteration that makes its labels, and one of the same batch whose labels come from a bank."""
    half = images // 2
    kinds = [('offline', 1), ('online', 1), ('offline', half), ('online', half), ('weak', half)]
    times = interleaved({kind: mutual(crop, images, width, *kind).step for kind in kinds}, repeats)
    return {
        'online_vs_offline': ratios(times, ('online', 1), ('offline', 1)),
        'online_vs_offline_half_labeled': ratios(times, ('online', half), ('offline', half)),
        'weak_vs_online': ratios(times, ('weak', half), ('online', half)),
    }


def online_memory(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> Rows:
    """Weigh the same iterations."""
    held = {kind: mutual(crop, images, width, kind).held_bytes() for kind in ('offline', 'online', 'weak')}
    return {
        'online_memory_vs_offline': [held['online'] / held['offline']],
        'weak_memory_vs_online': [held['weak'] / held['online']],
    }


def mixing_time(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> Rows:
    """Time each mix, for both peers, against an iteration; every image is mixed."""
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(CLASSES, (images, crop // 16, crop // 16), generator=generator)
    label = label.repeat_interleave(16, 1).repeat_interleave(16, 2)
    inputs = torch.randn((images, 3, crop, crop), generator=generator)
    batch = Batch(inputs, label, torch.rand((images, crop, crop), generator=generator))
    functions = {'iteration': mutual(crop, images, width).step}
    for name in MIXES:
        (mix,) = build_mixes([{'type': f'mmdmt.{name}', 'prob': 1.0}], 'pixels')
        functions[name] = partial(_mix_of_both, mix, batch, images)
    times = interleaved(functions, repeats)
    return {f'{name.lower()}_share': ratios(times, name, 'iteration') for name in MIXES}


def _mix_of_both(mix, batch: Batch, images: int) -> None:
    np.random.seed(0)
    for _ in PEERS:
        mix(batch, range(1, images), [0], CLASSES)


class Training:
    """A model, its optimizers and one batch."""

    def __init__(self, model: nn.Module, optimizer: Any, items: list[dict[str, Any]]) -> None:
        self.model = model.train()
        self.optimizer = optimizer
        self.items = items

    def step(self) -> None:
        """Train for an iteration."""
        batch = [{**item, 'data_samples': item['data_samples'].clone()} for item in self.items]
        self.model.train_step(pseudo_collate(batch), self.optimizer)

    def kept_bytes(self) -> int:
        """Return the bytes of weights, buffers and optimizer states."""
        wrappers = self.optimizer.values() if isinstance(self.optimizer, OptimWrapperDict) else [self.optimizer]
        tensors = [*self.model.parameters(), *self.model.buffers()]
        for wrapper in wrappers:
            for state in wrapper.optimizer.state.values():
                tensors += [value for value in state.values() if isinstance(value, torch.Tensor)]
        return sum(tensor.nbytes for tensor in tensors)

    def held_bytes(self) -> int:
        """Return the most bytes that an iteration holds."""
        self.step()  # optimizer states are made by the first step
        return peak_bytes(self.step) + self.kept_bytes()


def mutual(crop: int, images: int, width: int, labels: str = 'offline', labeled: int = 1) -> Training:
    """Return a training of two peers: with the labels of a bank (``'offline'``), or made and weighed as the phase says.

    ``labels`` is ``'offline'``, ``'online'`` (weighed by the strong view) or ``'weak'`` (by the weak one).
    """
    init_default_scope('mmseg')
    torch.manual_seed(0)
    items = [item for name in PEERS for item in pseudo_share(name, crop, images, labeled)]
    model = DynamicMutualTraining(peers=Config(dict.fromkeys(PEERS, networks.resnet18(width, CLASSES, crop))))
    if labels != 'offline':
        items = [_unlabeled(item) for item in items]
        weigh_by = 'weak' if labels == 'weak' else 'strong'
        model.begin_phase(Phase(1, labeled, images - labeled, online={'weigh_by': weigh_by}))
    model.init_weights()
    return Training(model, OptimWrapperDict(**{name: sgd(peer) for name, peer in model.peers.items()}), items)


def plain(crop: int, images: int, width: int) -> list[Training]:
    """Return the plain training of each network on its share of the batch."""
    torch.manual_seed(0)
    shares = [pseudo_share(name, crop, images, 1) for name in PEERS]
    built = [networks.build(networks.resnet18(width, CLASSES, crop)) for _ in PEERS]
    return [Training(network, sgd(network), share) for network, share in zip(built, shares, strict=True)]


def sgd(network: nn.Module) -> OptimWrapper:
    """Return the optimizer that all trainings have."""
    return OptimWrapper(torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4))


def pseudo_share(peer: str, crop: int, images: int, labeled: int) -> list[dict[str, Any]]:
    """Make a peer's share of a batch: some images with ground truth, the others with pseudo labels."""
    items = []
    for number, item in enumerate(networks.noise_images(images, crop, crop)):
        coarse = torch.randint(CLASSES, (crop // 16, crop // 16))
        label = coarse.repeat_interleave(16, 0).repeat_interleave(16, 1)
        confidence = None if number < labeled else torch.rand(crop, crop)
        items.append(networks.labeled(item, label, confidence, peer))
    return items


def _unlabeled(item: dict) -> dict:
    """Take the pseudo label away, and give the labeler a view."""
    sample = item['data_samples']
    if 'pseudo_confidence' in sample:
        sample.pop('pseudo_confidence')
        sample.gt_sem_seg = PixelData(data=torch.zeros_like(sample.gt_sem_seg.data))
        sample.set_metainfo({ONLINE: True})
        sample.set_data({WEAK_VIEW: PixelData(data=item['inputs'])})
    return item
