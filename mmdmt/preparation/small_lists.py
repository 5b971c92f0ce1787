"""The lists of our tables of small images: animals of VOC 2012, and Kvasir-SEG.

``small_lists.json`` holds names alone: of the images to validate on, of those that the official lists train on
(``train``), of those that come on top without labels (``more``), and of each split the labeled ones, nested.
"""

import json
from pathlib import Path

COUNTS = {'voc_animals': (35, 70), 'kvasir': (25, 50, 100)}


def small_lists(name: str) -> dict[str, list[str]]:
    """Return all lists of a data set.

    Args:
        name: ``'voc_animals'`` or ``'kvasir'``.

    Returns:
        The names of each file: ``val.txt``, ``all.txt`` (what is not validated on), ``split0/labeled_35.txt`` and
        ``split0/unlabeled_35.txt``, and so on for each split and number of labels, and ``labeled_all.txt`` and
        ``unlabeled_all.txt``, the last of which has one image, as a run needs one.
    """
    told = json.loads((Path(__file__).parent / 'small_lists.json').read_text())[name]
    names = {part: text.split() for part, text in told.items()}
    pool = sorted(names['train'] + names.get('more', []))
    files = {'val.txt': names['val'], 'all.txt': pool, 'labeled_all.txt': pool[:-1], 'unlabeled_all.txt': pool[-1:]}
    for split in (part for part in names if part.startswith('split')):
        for count in COUNTS[name]:
            labeled = names[split][:count]
            files[f'{split}/labeled_{count}.txt'] = labeled
            files[f'{split}/unlabeled_{count}.txt'] = sorted({*pool} - {*labeled})
    return files
