"""One training iteration of two peers, against plain training of the same networks on the same batches."""

from typing import Any

import networks
import torch
from measure import Row, interleaved, peak_bytes, ratios
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from torch import nn

from mmdmt.models.mutual_training import DynamicMutualTraining

PEERS = ('left', 'right')
CLASSES = 21


def iteration_time(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> list[Row]:
    """Time an iteration of mutual training, and the sum of one plain iteration of each network."""
    mutual, plain = trainings(crop, images, width)
    times = interleaved({'mutual': mutual.step, 'plain': lambda: [each.step() for each in plain]}, repeats)
    return [Row('iteration_vs_plain', ratios(times, 'mutual', 'plain'), target=1.05)]


def iteration_memory(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> list[Row]:
    """Weigh an iteration of mutual training against a plain one beside the other peer's weights and optimizer."""
    mutual, plain = trainings(crop, images, width)
    for each in (mutual, *plain):
        each.step()  # optimizer states are made by the first step
    theirs = max(peak_bytes(each.step) for each in plain) + sum(each.kept_bytes() for each in plain)
    ours = peak_bytes(mutual.step) + mutual.kept_bytes()
    return [Row('iteration_memory_vs_plain', [ours / theirs], target=1.03)]


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


def trainings(crop: int, images: int, width: int) -> tuple[Training, list[Training]]:
    """Return the mutual training of two peers, and the plain training of each."""
    init_default_scope('mmseg')
    torch.manual_seed(0)
    config = networks.resnet18(width, CLASSES, crop)
    shares = {name: pseudo_share(name, crop, images, labeled=1) for name in PEERS}
    model = DynamicMutualTraining(peers=Config({name: config for name in PEERS}))
    model.init_weights()
    optimizers = OptimWrapperDict(**{name: sgd(peer) for name, peer in model.peers.items()})
    mutual = Training(model, optimizers, [item for share in shares.values() for item in share])
    plain = []
    for share in shares.values():
        network = networks.build(config)
        plain.append(Training(network, sgd(network), share))
    return mutual, plain


def sgd(network: nn.Module) -> OptimWrapper:
    """Return the optimizer that all trainings have."""
    return OptimWrapper(torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4))


def pseudo_share(peer: str, crop: int, images: int, labeled: int) -> list[dict[str, Any]]:
    """Make a peer's share of a batch: some images with ground truth, the others with pseudo labels."""
    items = []
    for number, item in enumerate(networks.noise_images(images, crop, crop)):
        coarse = torch.randint(CLASSES, (crop // 16, crop // 16))
        label = coarse.repeat_interleave(16, 0).repeat_interleave(16, 1)
        items.append(networks.labeled(item, label, peer=peer))
        if number >= labeled:
            confidence = torch.rand(1, crop, crop)
            items[-1]['data_samples'].set_data({'pseudo_confidence': PixelData(data=confidence)})
    return items
