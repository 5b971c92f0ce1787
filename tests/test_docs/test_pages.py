"""What a page links to, shows, names or has the reader run is in the repository."""

import ast
import re
import shlex
from itertools import chain
from pathlib import Path

import pytest

from mmdmt.scripts import toolbox_script

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    *sorted((ROOT / 'docs' / 'en').glob('*.md')),
    *sorted((ROOT / 'configs').glob('*/README.md')),
]
NAMED = re.compile(r'(?<![\w/.-])(?:tools|configs|mmdmt|tests|docs|requirements)/[\w/.-]+\.(?:py|sh|md|txt|yml|json)\b')
READERS_OWN = {'configs/custom/mine.py', 'configs/custom/mine_labels.py'}
COMMAND = re.compile(r'^(?:make|python) [^\n]+', re.MULTILINE)

every_page = pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def options_of(script):
    """Options that a script adds to its parser; of one that hands over to the toolbox, the toolbox's."""
    scripts = [script]
    if 'run_toolbox_script' in script.read_text():
        scripts = [toolbox_script(script.name)]
    tree = chain.from_iterable(ast.walk(ast.parse(Path(path).read_text())) for path in scripts)
    return {node.value for node in tree if isinstance(node, ast.Constant) and str(node.value).startswith('--')}


@every_page
def test_links_and_pictures_lead_to_files(page):
    text = page.read_text()
    for target in re.findall(r'\]\((?!http)([^)#\s]+)(?:#[^)]*)?\)|<img[^>]+src="(?!http)([^"]+)"', text):
        (path,) = filter(None, target)
        assert (page.parent / path).exists(), path


@every_page
def test_files_that_are_named_exist(page):
    text = page.read_text()
    tests = {f'tests/{path}' for path in re.findall(r'`(test_[\w/]+\.py)`', text)}
    for path in {*NAMED.findall(text), *tests} - READERS_OWN:
        assert (ROOT / path).is_file(), path


@every_page
def test_targets_and_options_of_commands_exist(page):
    makefile = (ROOT / 'Makefile').read_text()
    blocks = re.findall(r'^```\w*\n(.*?)^```', page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for command in COMMAND.findall('\n'.join(blocks).replace('\\\n', ' ')):
        words = shlex.split(command, comments=True)
        if words[0] == 'make':
            assert f'\n{words[1]}:' in makefile, command
        elif words[1].startswith('tools/') and words[1].endswith('.py'):
            named = {word.split('=')[0] for word in words if re.match(r'--\w', word)}
            assert named <= options_of(ROOT / words[1]), command


@every_page
def test_python_blocks_are_python(page):
    for block in re.findall(r'^```python\n(.*?)^```', page.read_text(), flags=re.DOTALL | re.MULTILINE):
        ast.parse(block)
