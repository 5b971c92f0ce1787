"""Write dynamic_losses.json: losses worked out pixel by pixel in plain Python, apart from the package.

Run it from the repository root; the result is committed.
"""

import json
import math
import random
from pathlib import Path

CLASSES, HEIGHT, WIDTH, IMAGES, TRUTHS = 4, 3, 4, 3, 1
SETTINGS = [
    ('mutual', 5.0, 5.0),
    ('mutual', 3.0, 3.0),
    ('mutual', 2.5, 7.0),
    ('mutual', 0.0, 4.0),
    ('mutual', 4.0, 0.0),
    ('mutual', 0.0, 0.0),
    ('naive', 5.0, 5.0),
    ('flip', 5.0, 5.0),
    ('flip', 2.0, 6.0),
    ('flip', 0.0, 0.0),
]


def softmax(logits):
    powers = [math.exp(x - max(logits)) for x in logits]
    return [x / sum(powers) for x in powers]


def weigh(rule, p, y, c, gamma1, gamma2):
    """Return the label to learn, its weight, and whether the learner disagrees and wins."""
    mine = p.index(max(p))
    disagree, wins = mine != y, mine != y and p[mine] > c
    if c == math.inf:
        return y, 1.0, False, False
    if rule == 'naive':
        return y, p[y] ** gamma1, disagree, wins
    if gamma1 == gamma2 == 0:
        return y, 1.0, disagree, wins
    if not disagree:
        return y, p[y] ** gamma1, disagree, wins
    if not wins:
        return y, p[y] ** gamma2, disagree, wins
    return (mine, (1 - c) ** gamma2, disagree, wins) if rule == 'flip' else (y, 0.0, disagree, wins)


def work_out(rule, gamma1, gamma2, generator):
    pixels = IMAGES * HEIGHT * WIDTH
    # Quarters are exact in float32, so that ties made of equal logits are ties for every implementation.
    logits = [[generator.randrange(-12, 13) / 4 for _ in range(CLASSES)] for _ in range(pixels)]
    labels = [generator.choice([0, 1, 2, 3, 255]) for _ in range(pixels)]
    confidences = [generator.randrange(30, 100) / 100 for _ in range(pixels)]
    for tie in (0, 5):
        logits[tie], labels[tie], confidences[tie] = [1.25] * CLASSES, 2, 1 / CLASSES
    for truth in range(pixels - TRUTHS * HEIGHT * WIDTH, pixels):
        confidences[truth] = math.inf
    loss, valid, weight, disagree, wins = 0.0, 0, 0.0, 0, 0
    gradient = [[0.0] * CLASSES for _ in range(pixels)]
    for i, (x, y, c) in enumerate(zip(logits, labels, confidences, strict=True)):
        if y == 255:
            continue
        p = softmax(x)
        target, w, differs, won = weigh(rule, p, y, c, gamma1, gamma2)
        loss -= w * math.log(p[target])
        gradient[i] = [w * (p[k] - (k == target)) for k in range(CLASSES)]
        valid, weight, disagree, wins = valid + 1, weight + w, disagree + differs, wins + won
    return {
        'rule': rule,
        'gamma_agree': gamma1,
        'gamma_disagree': gamma2,
        'shape': [IMAGES, HEIGHT, WIDTH, CLASSES],
        'logits': logits,
        'label': labels,
        'confidence': [None if c == math.inf else c for c in confidences],
        'loss': loss / valid,
        'gradient': [[g / valid for g in row] for row in gradient],
        'weight': weight,
        'disagree': disagree,
        'learner_wins': wins,
        'pixels': valid,
    }


if __name__ == '__main__':
    generator = random.Random(0)
    cases = [work_out(*settings, generator) for settings in SETTINGS]
    Path(__file__).with_name('dynamic_losses.json').write_text(json.dumps(cases) + '\n')
