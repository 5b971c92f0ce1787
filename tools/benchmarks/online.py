"""Iterations with online labels against those with labels from a bank, and mixing against an iteration."""

from functools import partial

import networks
import numpy as np
import torch
from iteration import PEERS, Training, pseudo_share, sgd
from measure import Row, interleaved, peak_bytes, ratios
from mmengine.config import Config
from mmengine.optim import OptimWrapperDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData

from mmdmt.method.draws import ONLINE, WEAK_VIEW
from mmdmt.method.mixing import Batch
from mmdmt.method.phases import Phase
from mmdmt.mixes import build_mixes
from mmdmt.models.mutual_training import DynamicMutualTraining

CLASSES = 21
MIXES = ('CutMix', 'ClassMix', 'BlockMask')


def online_time(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> list[Row]:
    """Time an iteration that makes its labels, and one of the same batch whose labels come from a bank."""
    functions = {}
    for labeled in (1, images // 2):
        for source, training in trainings(crop, images, width, labeled, weak=labeled > 1).items():
            functions[source, labeled] = training.step
    times = interleaved(functions, repeats)
    return [
        Row('online_vs_offline', ratios(times, ('online', 1), ('offline', 1)), target=1.35),
        Row(
            'online_vs_offline_half_labeled',
            ratios(times, ('online', images // 2), ('offline', images // 2)),
            target=1.35,
        ),
        Row('weak_vs_online', ratios(times, ('weak', images // 2), ('online', images // 2)), target=1.02),
    ]


def online_memory(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> list[Row]:
    """Weigh the same two iterations."""
    peaks = {}
    for source, training in trainings(crop, images, width, labeled=1, weak=True).items():
        training.step()  # optimizer states are made by the first step
        peaks[source] = peak_bytes(training.step) + training.kept_bytes()
    return [
        Row('online_memory_vs_offline', [peaks['online'] / peaks['offline']], target=1.05),
        Row('weak_memory_vs_online', [peaks['weak'] / peaks['online']], target=1.02),
    ]


def mixing_time(repeats: int, crop: int = 128, images: int = 8, width: int = 64) -> list[Row]:
    """Time each mix, for both peers, against an iteration; every image is mixed."""
    training = trainings(crop, images, width, labeled=1)['offline']
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(CLASSES, (images, crop // 16, crop // 16), generator=generator)
    label = label.repeat_interleave(16, 1).repeat_interleave(16, 2)
    batch = Batch(
        torch.randn((images, 3, crop, crop), generator=generator),
        label,
        torch.rand((images, crop, crop), generator=generator),
    )
    functions = {'iteration': training.step}
    for name in MIXES:
        (mix,) = build_mixes([{'type': f'mmdmt.{name}', 'prob': 1.0}], 'pixels')
        functions[name] = partial(_mix_of_both, mix, batch, images)
    times = interleaved(functions, repeats)
    rows = []
    for name in MIXES:
        shares = ratios(times, name, 'iteration')
        rows.append(Row(f'{name.lower()}_share', shares, target=0.02))
    return rows


def _mix_of_both(mix, batch: Batch, images: int) -> None:
    np.random.seed(0)
    for _ in PEERS:
        mix(batch, range(1, images), [0], CLASSES)


def trainings(crop: int, images: int, width: int, labeled: int, weak: bool = False) -> dict[str, Training]:
    """Return the trainings of two peers on the same images, by where the labels come from and the weights, if asked."""
    init_default_scope('mmseg')
    config = networks.resnet18(width, CLASSES, crop)
    made = {}
    for source in ('offline', 'online', 'weak') if weak else ('offline', 'online'):
        torch.manual_seed(0)
        items = [item for name in PEERS for item in pseudo_share(name, crop, images, labeled)]
        if source != 'offline':
            items = [_unlabeled(item) for item in items]
        model = DynamicMutualTraining(peers=Config({name: config for name in PEERS}))
        if source != 'offline':
            weigh_by = 'weak' if source == 'weak' else 'strong'
            model.begin_phase(Phase(1, labeled, images - labeled, online={'weigh_by': weigh_by}))
        model.init_weights()
        made[source] = Training(
            model, OptimWrapperDict(**{name: sgd(peer) for name, peer in model.peers.items()}), items
        )
    return made


def _unlabeled(item: dict) -> dict:
    """Take the pseudo label away, and give the labeler a view."""
    sample = item['data_samples']
    if 'pseudo_confidence' not in sample:
        return item
    sample.pop('pseudo_confidence')
    sample.gt_sem_seg = PixelData(data=torch.zeros_like(sample.gt_sem_seg.data))
    sample.set_metainfo({ONLINE: True})
    sample.set_data({WEAK_VIEW: PixelData(data=item['inputs'])})
    return item
