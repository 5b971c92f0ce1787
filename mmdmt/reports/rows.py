"""The table of a benchmark: a row for each way of training, over splits of the labels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from mmdmt.reports.experiments import Spread
from mmdmt.reports.run import ENSEMBLE, Run
from mmdmt.reports.wording import NONE, spread

#: The end of a run's name that tells its split id or seed: ``dmt-s0``, ``dmt_split1``, ``dmt/seed2``.
NUMBERED = re.compile(r'(?P<row>(?:.*[-_.])?)(?:s|split|seed)(?P<number>\d+)')


@dataclass(frozen=True)
class Row:
    """One way of training.

    Args:
        name: What the folders of its runs have in common.
        splits: Split ids, or seeds, as the folders name them; one empty name of a single run.
        peers: Of each peer its results over the splits.
        ensemble: Those of the ensemble; None where peers were trained in runs of their own.
        iters: Iterations of each run.
        cpu_seconds: CPU time of a split, of all runs together; None where a log does not tell it.
    """

    name: str
    splits: tuple[str, ...]
    peers: Mapping[str, Spread]
    ensemble: Spread | None
    iters: tuple[int, ...]
    cpu_seconds: Spread | None

    @property
    def mean(self) -> Spread:
        """The mean of the peers, over the splits."""
        columns = [spread_of_peer.values for spread_of_peer in self.peers.values()]
        return Spread(tuple(map(fmean, zip(*columns, strict=True))))


def make_rows(runs: Sequence[Run], metric: str) -> list[Row]:
    """Put runs together by the names of their folders.

    ``dmt-s0``, ``dmt-s1`` and ``dmt-s2`` are a row of three splits. Runs of a single peer that name it,
    ``self-training_lite0-s0`` and ``self-training_lite1-s0``, are one row of two peers.

    Args:
        runs (Sequence[Run]): Runs that have ended, in any order, which the rows keep.
        metric (str): Such as ``'mIoU'``, in percent, of the last weights.

    Raises:
        ValueError: If a run has not ended or was not validated, two runs are of the same row, split and peer, or the
            splits of a row differ in their peers or iterations.
    """
    groups: dict[str, dict[str, list[Run]]] = {}
    for run in runs:
        row, split = _place(run)
        groups.setdefault(row, {}).setdefault(split, []).append(run)
    return [_row(name, splits, metric) for name, splits in groups.items()]


def markdown(rows: Sequence[Row], metric: str) -> list[str]:
    """Lay rows out as a table in Markdown, with the means of single splits.

    Args:
        rows (Sequence[Row]): What `make_rows` returned.
        metric (str): For the heading.
    """
    peers = list(dict.fromkeys(peer for row in rows for peer in row.peers))
    head = [f'{metric} of the last weights', *peers, 'mean of peers', 'each split', 'ensemble', 'iterations', 'CPU s']
    lines = [head, ['---'] * len(head)]
    for row in rows:
        single = ' '.join(f'{value:.2f}' for value in row.mean.values) if len(row.splits) > 1 else NONE
        lines.append(
            [
                row.name,
                *(spread(row.peers.get(peer)) for peer in peers),
                spread(row.mean),
                single,
                spread(row.ensemble),
                ' + '.join(map(str, row.iters)),
                NONE if row.cpu_seconds is None else f'{row.cpu_seconds.mean:.0f}',
            ]
        )
    return [f'| {" | ".join(line)} |' for line in lines]


def _place(run: Run) -> tuple[str, str]:
    """Return the names of a run's row and split."""
    found = NUMBERED.fullmatch(run.name)
    row, split = (found['row'], found['number']) if found else (run.name, '')
    row = row.rstrip('-_.') or run.work_dir.resolve().parent.name
    if len(run.peers) == 1:
        row = re.sub(rf'[-_.]?{re.escape(run.peers[0])}(?![a-z0-9])', '', row) or row
    return row, split


def _row(name: str, splits: Mapping[str, Sequence[Run]], metric: str) -> Row:
    scores = {split: _scores(name, split, runs, metric) for split, runs in splits.items()}
    peers = list(next(iter(scores.values())))
    for split, found in scores.items():
        if sorted(found) != sorted(peers):
            raise ValueError(f'Split {split} of {name!r} has the peers {sorted(found)}, others {sorted(peers)}.')
    iters = {split: tuple(run.reached for run in runs) for split, runs in splits.items()}
    if len(set(iters.values())) > 1:
        raise ValueError(f'The splits of {name!r} differ in their iterations, {iters}: leave some out.')
    seconds = [[run.log.cpu_seconds for run in runs] for runs in splits.values()]
    told = [[value for value in values if value is not None] for values in seconds]
    return Row(
        name=name,
        splits=tuple(splits),
        peers={peer: Spread(tuple(found[peer] for found in scores.values())) for peer in peers},
        ensemble=_ensemble(list(splits.values()), metric),
        iters=next(iter(iters.values())),
        cpu_seconds=Spread(tuple(map(sum, told))) if told == seconds else None,
    )


def _scores(row: str, split: str, runs: Sequence[Run], metric: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in runs:
        if run.ended is False:
            raise ValueError(f'{run.work_dir} is at iteration {run.reached} of {run.planned}: leave it out, or wait.')
        for peer in run.peers:
            score = run.score(peer, metric)
            if score is None:
                raise ValueError(f'No validation in {run.work_dir} has {peer}/{metric}: see --metric.')
            if peer in found:
                raise ValueError(
                    f'{run.work_dir} is not the only run of {row!r}, split {split or "without a number"}, with the '
                    f'peer {peer!r}: name folders such as dmt-s0, dmt-s1.'
                )
            found[peer] = score.last
    return found


def _ensemble(splits: Sequence[Sequence[Run]], metric: str) -> Spread | None:
    """Return the results of the ensemble of each split; None if there is not one of two peers in each."""
    alone = [runs[0] for runs in splits if len(runs) == 1 and len(runs[0].peers) > 1]
    scores = [score for run in alone if (score := run.score(ENSEMBLE, metric))]
    return Spread(tuple(score.last for score in scores)) if len(scores) == len(splits) else None
