"""The loss: time and memory of forward and backward."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from measure import Rows, interleaved, peak_bytes, ratios
from naive import naive_loss
from torch import Tensor

from mmdmt.losses.dynamic_mutual_loss import DynamicMutualLoss

SHAPE = (8, 21, 321, 321)


def loss_time(repeats: int, shape: tuple[int, ...] = SHAPE) -> Rows:
    """Time the loss, its naive form and plain cross entropy, in float32; and against the last in bfloat16."""
    logits, label, confidence = batch(shape)
    single = interleaved(steps(logits, label, confidence), repeats)
    of_half = steps(logits.bfloat16(), label, confidence)
    half = interleaved({name: of_half[name] for name in ('ours', 'cross_entropy')}, repeats)
    return {
        'loss_vs_naive': ratios(single, 'naive', 'ours'),
        'loss_vs_cross_entropy': ratios(single, 'ours', 'cross_entropy'),
        'loss_bf16_vs_cross_entropy': ratios(half, 'ours', 'cross_entropy'),
    }


def loss_memory(repeats: int, shape: tuple[int, ...] = SHAPE) -> Rows:
    """Compare the most bytes that the loss and its naive form hold beyond their inputs."""
    peaks = {name: peak_bytes(step) for name, step in steps(*batch(shape)).items()}
    return {f'loss_memory_vs_{name}': [peaks['ours'] / peaks[name]] for name in ('naive', 'cross_entropy')}


def batch(shape: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Make logits, labels and confidences as in training: one image in eight of ground truth, some pixels ignored."""
    generator = torch.Generator().manual_seed(0)
    images, classes, *size = shape
    logits = torch.randn(shape, generator=generator) * 2
    label = torch.where(
        torch.rand((images, *size), generator=generator) < 0.7,
        logits.argmax(dim=1),
        torch.randint(classes, (images, *size), generator=generator),
    )
    label[torch.rand(label.shape, generator=generator) < 0.2] = 255
    confidence = torch.rand((images, *size), generator=generator)
    confidence[:1] = float('inf')
    return logits, label, confidence


def steps(logits: Tensor, label: Tensor, confidence: Tensor) -> dict[str, Callable[[], None]]:
    """Return forward and backward of each loss."""
    loss = DynamicMutualLoss()

    def step(compute: Callable[[Tensor], Tensor]) -> None:
        leaf = logits.detach().requires_grad_()
        compute(leaf).backward()

    def ours(leaf: Tensor) -> Tensor:
        with loss.pseudo_targets(confidence):
            return loss(leaf, label)

    return {
        'ours': lambda: step(ours),
        'naive': lambda: step(lambda leaf: naive_loss(leaf, label, confidence)[0]),
        'cross_entropy': lambda: step(lambda leaf: F.cross_entropy(leaf, label, ignore_index=255)),
    }
