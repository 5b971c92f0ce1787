"""The page of lists says what the package knows."""

import json
import re
from pathlib import Path

from mmdmt.preparation import known_lists

PAGE = Path(__file__).parents[2] / 'docs' / 'en' / 'protocols.md'
TABLE = json.loads(Path(known_lists.__file__).with_suffix('.json').read_text())


def test_every_group_of_lists_has_a_row_with_its_sizes():
    told = {}
    for images, folder in re.findall(
        r'^\|[^|]*\|([^|]*)\|[^|]*\| `(\w+/\w+)/labeled_\w+\.txt` \|$', PAGE.read_text(), re.M
    ):
        sizes = re.sub(r'\([^)]*\)|;.*', '', images)
        told[folder.replace('split0', 'split')] = {int(size) for size in re.findall(r'\d+', sizes)}
    known = {}
    for dataset, lists in TABLE.items():
        for file, one in lists.items():
            group, _, name = file.rpartition('/')
            if name.startswith('labeled'):
                known.setdefault(f'{dataset}/{re.sub(r"split[0-2]", "split", group)}', set()).add(one['count'])
    assert told == known


def test_the_names_on_the_page_are_those_of_the_log():
    names = {one['name']: one['count'] for lists in TABLE.values() for one in lists.values()}
    shown = re.findall(r'^List of \w+ images: (\d+), (.*)\.$', PAGE.read_text(), re.M)
    assert len(shown) == 3
    assert all(names[name] == int(count) for count, name in shown)
