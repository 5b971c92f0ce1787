"""Keep each peer's best weights of a phase, by validation."""

import io
import math
from collections.abc import Iterable, Mapping
from logging import Logger
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.runner import Runner
from torch import nn

from mmdmt.atomic_write import atomic_write
from mmdmt.engine.run_record import ROOM
from mmdmt.models.weights import read_checkpoint

RESULT = 'best_of_last_phase.pth'


class BestWeights:
    """Keep each peer's best weights of a phase on disk, to carry them into the next.

    Args:
        metric (str): By which a peer is judged, greater is better: ``<peer>/<metric>`` of the validation.
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.scores: dict[str, float] = {}
        self.folder = Path()
        """Of the present phase."""

    def keys(self, peers: Iterable[str]) -> list[str]:
        """Return the names of the results that peers are judged by."""
        return [f'{name}/{self.metric}' for name in peers]

    def update(self, peers: Mapping[str, nn.Module], metrics: Mapping[str, float]) -> None:
        """Keep the weights of every peer that is better than before."""
        for name, peer in peers.items():
            score = float(metrics[f'{name}/{self.metric}'])
            if not math.isnan(score) and score > self.scores.get(name, -math.inf):
                self.scores[name] = score
                if is_main_process():
                    _save(peer.state_dict(), self.folder / f'{name}.pth')

    def carry(self, peers: Mapping[str, nn.Module], logger: Logger) -> None:
        """Give every peer its best weights back, and forget the scores: another phase begins.

        Raises:
            FileNotFoundError: If they are not on disk any more.
            ValueError: If the file is damaged or not one of weights.
        """
        barrier()
        for name, peer in peers.items():
            if name not in self.scores:
                logger.warning(f'{name} carries its last weights: {self.metric} was NaN throughout the phase.')
                continue
            path = self.folder / f'{name}.pth'
            if not path.is_file():
                raise FileNotFoundError(
                    f'The best weights of peer {name!r}, {path}, are gone: resume from a checkpoint of a phase before.'
                )
            peer.load_state_dict(read_checkpoint(path, f'the best weights of peer {name!r}'))
            logger.info(f'{name} carries the weights of its best {self.metric}, {self.scores[name]:.2f}.')
        self.scores = {}

    def write_result(self, runner: Runner, peers: Mapping[str, nn.Module]) -> None:
        """Write the best weights of the last phase, to be tested and exported; without a score the last ones."""
        weights = {}
        for name, peer in peers.items():
            path = self.folder / f'{name}.pth'
            known = name in self.scores and path.is_file()
            of_peer = read_checkpoint(path, f'the best weights of peer {name!r}') if known else peer.state_dict()
            weights.update({f'{name}.{key}': value for key, value in of_peer.items()})
        metainfo = runner.train_dataloader.dataset.metainfo
        meta = {'iter': runner.iter, 'seed': runner.seed, 'dataset_meta': metainfo, 'scores': dict(self.scores)}
        path = Path(runner.work_dir) / RESULT
        _save({'state_dict': weights, 'meta': meta}, path)
        told = ', '.join(f'{name} {self.metric} {score:.2f}' for name, score in self.scores.items())
        runner.logger.info(f'The best weights of the last phase ({told}) are in {path}.')


def _save(content: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    torch.save(content, file)  # which would say of a full disk what nobody understands
    with atomic_write(path, ROOM) as unfinished:
        unfinished.write_bytes(file.getvalue())
