"""Measure what the disagreement of peers tells: of errors of the model, and of made-up faults in masks.

    python tools/benchmarks/ranking.py CONFIG CHECKPOINT LIST --images 600

LIST names images with masks that the peers have not learned. Printed are, for each score of an image, Spearman's
correlation with the share of wrong pixels, and the part of all wrong pixels that are in the tenth of the images with
the highest scores. Then faults are made up in a tenth of the masks, a quarter of each kind: a class is swapped, an
object is missing, the mask is shifted by 8 pixels, the mask is that of another image; printed is the average precision
of finding these masks, beside cleanlab's score of the same predictions, if it is installed (`pip install cleanlab`).
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import rankdata

from mmdmt.apis import init_peers
from mmdmt.apis.peer_labels import PeerLabels, evenly, labeled_images
from mmdmt.command_line import parser_of
from mmdmt.method.contradiction import contradiction
from mmdmt.method.ranking import compare, count_errors
from mmdmt.rules.joined_datasets import plain_datasets

KINDS = ('swapped', 'missing', 'shifted', 'of another')
SHIFT = 8
LEAST = 0.01  # of the image; a smaller fault is not counted


def scores_of(view: PeerLabels) -> dict[str, float]:
    """Score an image in the ways that are compared."""
    assert view.probability is not None
    found = compare(view.labels, view.confidence, len(view.probability))
    ordered = np.sort(view.probability, axis=0)
    entropy = -(view.probability * np.log(view.probability.clip(1e-9))).sum(axis=0)
    seen = found.by_class[~np.isnan(found.by_class)]
    return {
        'doubt': found.doubt,
        'disagreement': found.disagreement,
        'classes': float(seen.mean()),
        'entropy': float(entropy.mean()),
        'margin': float((ordered[-2] - ordered[-1]).mean()),
        'confidence of the ensemble': float(1 - ordered[-1].mean()),
        **{f'confidence of peer {one}': float(1 - sure.mean()) for one, sure in enumerate(view.confidence)},
    }


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's rank correlation."""
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def average_precision(faulty: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean precision at each fault that is found, highest scores first."""
    hits = faulty[np.argsort(-scores, kind='stable')]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def precisions(kinds: np.ndarray, scores: np.ndarray) -> list[float]:
    """Return the average precision of all faults, and of each kind with faults of the others left out."""
    found = [average_precision(kinds != '', scores)]
    for kind in KINDS:
        kept = (kinds == kind) | (kinds == '')
        found.append(average_precision(kinds[kept] == kind, scores[kept]))
    return found


def told(found: np.ndarray) -> str:
    """Write average precisions with what they are of."""
    return ', '.join(f'{kind} {one:.3f}' for kind, one in zip(('all', *KINDS), found, strict=True))


def make_faults(masks: list[np.ndarray], classes: int, seed: int) -> Iterator[tuple[int, str, np.ndarray]]:
    """Make up faults in a tenth of the masks."""
    generator = np.random.default_rng(seed)
    made = 0
    for number in generator.permutation(len(masks)):
        kind = KINDS[made % len(KINDS)]
        mask = masks[number]
        objects = [label for label in np.unique(mask) if 0 < label < classes]
        if made == len(masks) // 10:
            return
        if not objects:
            continue
        chosen = generator.choice(objects)
        faulty = mask.copy()
        if kind == 'swapped':
            other = generator.choice([label for label in range(classes) if label != chosen])
            faulty[mask == chosen] = other
            if classes == 2:
                faulty[mask == other] = chosen
        elif kind == 'missing':
            _, parts, stats, _ = cv2.connectedComponentsWithStats((mask == chosen).astype(np.uint8))
            faulty[parts == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()] = 0
        elif kind == 'shifted':
            sides = np.indices(mask.shape) - np.reshape(generator.permutation([SHIFT, 0]), (2, 1, 1))
            faulty = mask[tuple(side.clip(0, size - 1) for side, size in zip(sides, mask.shape, strict=True))]
        else:
            other = masks[generator.integers(len(masks))]
            faulty = cv2.resize(other, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
        if (faulty != mask).mean() >= LEAST:
            made += 1
            yield int(number), kind, faulty


def cleanlab_score(mask: np.ndarray, view: PeerLabels) -> float:
    """Return 1 - the quality that cleanlab gives a mask; it knows no ignored pixels, so these are taken out."""
    from cleanlab.segmentation.rank import get_label_quality_scores

    assert view.probability is not None
    known = mask < len(view.probability)
    probability = view.probability[:, known].astype(np.float64)
    probability /= probability.sum(axis=0)
    labels, rows = mask[known].astype(np.int64)[None, None], probability[None, :, None]
    quality, _ = get_label_quality_scores(labels, rows, verbose=False)
    return float(1 - quality[0])


def main() -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('list', type=Path)
    parser.add_argument('--images', type=int, default=600, help='evenly spread over the list (default: %(default)s)')
    parser.add_argument('--seeds', type=int, default=5, help='times that faults are made up (default: %(default)s)')
    args = parser.parse_args()
    model = init_peers(args.config, args.checkpoint)
    part = next(plain_datasets(model.cfg.train_dataloader.dataset.labeled))
    images = labeled_images(model, {**part, 'ann_file': str(args.list.absolute())})
    classes = len(images.classes)
    views = [
        PeerLabels(view.labels.astype(np.uint8), view.confidence.astype(np.float16), view.probability, view.truth)
        for view in images.views(evenly(len(images.names), args.images))
    ]
    views = [view for view in views if (view.truth < classes).any()]
    counts = np.array([count_errors(v.labels, v.probability.argmax(axis=0), v.truth, classes) for v in views])
    (agree, agree_wrong), (differ, differ_wrong) = counts.sum(axis=0).tolist()
    wrong = counts[:, :, 1].sum(axis=1) / counts[:, :, 0].sum(axis=1)
    shares = differ / (agree + differ), differ_wrong / differ, agree_wrong / agree
    print(f'\n{len(views)} images, {wrong.mean():.1%} of the pixels are wrong; the peers disagree on')
    print('{:.1%}, of which {:.1%} are wrong; where they agree {:.1%} are'.format(*shares))
    rows = [scores_of(view) for view in views]
    tenth = len(views) // 10
    print(f'{"score":>28} {"Spearman":>9} {"found in the first tenth":>25}')
    for name in rows[0]:
        scores = np.array([row[name] for row in rows])
        found = wrong[np.argsort(-scores, kind='stable')[:tenth]].sum() / wrong.sum()
        print(f'{name:>28} {spearman(scores, wrong):9.3f} {found:25.1%}')
    print(f'{"the errors themselves":>28} {1:9.3f} {np.sort(wrong)[::-1][:tenth].sum() / wrong.sum():25.1%}')
    judges = {'contradiction': lambda mask, view: contradiction(mask, view.labels, view.probability)}
    try:
        import cleanlab.segmentation.rank  # noqa: F401

        judges['cleanlab'] = cleanlab_score
    except ImportError as error:
        print(f'cleanlab is left out: {error}')
    masks = [view.truth.astype(np.uint8) for view in views]
    for name, judge in judges.items():
        sound = np.array([judge(mask, view) for mask, view in zip(masks, views, strict=True)])
        found = []
        for seed in range(args.seeds):
            scores, kinds = sound.copy(), np.full(len(masks), '', dtype='<U16')
            for number, kind, faulty in make_faults(masks, classes, seed):
                scores[number], kinds[number] = judge(faulty, views[number]), kind
            found.append(precisions(kinds, scores))
        mean, by_seed = told(np.mean(found, axis=0)), np.round(found, 3)[:, 0]
        print(f'{name}: average precision over {args.seeds} seeds: {mean}; all by seed {by_seed}')


if __name__ == '__main__':
    main()
