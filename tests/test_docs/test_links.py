"""Every file that a page links to, shows or names is in the repository."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    *sorted((ROOT / 'docs' / 'en').glob('*.md')),
    *sorted((ROOT / 'configs').glob('*/README.md')),
]
NAMED = re.compile(r'(?<![\w/.-])(?:tools|configs|mmdmt|tests|docs|requirements)/[\w/.-]+\.(?:py|sh|md|txt|yml|json)\b')
READERS_OWN = {'configs/custom/mine.py', 'configs/custom/mine_labels.py'}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_of_a_page_lead_to_files(page):
    text = page.read_text()
    for target in re.findall(r'\]\((?!http)([^)#\s]+)(?:#[^)]*)?\)|<img[^>]+src="(?!http)([^"]+)"', text):
        (path,) = filter(None, target)
        assert (page.parent / path).exists(), path


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page):
    for path in set(NAMED.findall(page.read_text())) - READERS_OWN:
        assert (ROOT / path).is_file(), path
