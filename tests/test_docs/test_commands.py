"""Every command of README, docs and config tables is run by a test or marked, and names what exists."""

import ast
import re
import shlex
from itertools import chain
from pathlib import Path

import pytest

from mmdmt.apis import toolbox_script

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md')),
    *sorted((ROOT / 'docs' / 'en').glob('*.md')),
    *sorted((ROOT / 'configs').glob('*/README.md')),
]
BLOCK = re.compile(r'(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)
PROGRAMS = ('make', 'python', 'pip', 'mim', 'wget', 'tar', 'unzip')
MARKS = {
    'needs data',
    'needs a GPU',
    'needs a network',
    'needs data and a GPU',
    'needs data and a network',
}
# How the commands that are not marked begin, and what runs them.
RUN_BY = {
    'make test': '.ci/run',
    'make docs': '.ci/run',  # as a part of make test
    'python tools/train.py configs/dmt/dmt_unet-resnet_1xb8_digit-scenes.py': 'tests/test_tools/test_scripts.py',
    'python tools/train.py configs/domain_adaptation/dmt-warp_resnet_1xb8-2500': (
        'tests/test_configs/test_recipe_configs.py'
    ),
    'python tools/report.py': 'tests/test_docs/test_follow_a_run.py',
    'python -m mmdmt train guide.py': 'tests/test_docs/test_guide.py',
    'python -m mmdmt': 'tests/test_tools/test_scripts.py',
    'python tools/benchmarks/': 'tests/test_tools/test_benchmarks.py',
    # At toy size:
    'make bench': 'tests/test_tools/test_benchmarks.py',
    'make demo': 'tests/test_tools/test_demo.py',
    'make demo-classification': 'tests/test_tools/test_demo.py',
    'python tools/demo.py': 'tests/test_tools/test_demo.py',
    'python tools/train.py configs/classification/dmt_wrn-resnet_1xb32_digits-40.py': 'tests/test_tools/test_demo.py',
}
# Pages whose test runs every command.
RUN_WHOLE = {'docs/en/own_data.md': 'tests/test_docs/test_own_data.py'}


def blocks_of(page):
    for found in BLOCK.finditer(page.read_text()):
        text = found['text'].replace('\\\n', ' ')
        if found['kind'] in ('bash', 'shell', 'sh', 'console') or (
            not found['kind'] and text.lstrip().split(' ')[0] in PROGRAMS
        ):
            yield found['mark'], text


COMMANDS = [
    (str(page.relative_to(ROOT)), mark, line.strip())
    for page in PAGES
    for mark, text in blocks_of(page)
    for line in text.splitlines()
    if line.strip() and not line.startswith('#')
]


def options_of(script):
    """Options that a script adds to its parser; of one that hands over to the toolbox, the toolbox's."""
    scripts = [script]
    if 'run_toolbox_script' in script.read_text():
        scripts = [toolbox_script(script.name)]
    tree = chain.from_iterable(ast.walk(ast.parse(Path(path).read_text())) for path in scripts)
    return {node.value for node in tree if isinstance(node, ast.Constant) and str(node.value).startswith('--')}


def test_there_are_commands_to_look_at():
    assert len(COMMANDS) > 40
    assert {page for page, _, _ in COMMANDS} >= {'README.md', 'docs/en/own_data.md', 'configs/dmt/README.md'}


@pytest.mark.parametrize('page', sorted({page for page, _, _ in COMMANDS}))
def test_a_command_is_run_by_a_test_or_its_block_is_marked(page):
    if page in RUN_WHOLE:
        return
    for where, mark, command in COMMANDS:
        if where == page:
            known = mark in MARKS if mark else any(command.startswith(start) for start in RUN_BY)
            assert known, f'{command!r} of {page}: name the test that runs it in RUN_BY, or mark its block'


def test_the_tests_that_are_named_exist():
    for name in {*RUN_BY.values(), *RUN_WHOLE.values()}:
        assert (ROOT / name).is_file(), name


def test_what_is_said_to_be_run_is_still_written_somewhere():
    for start in RUN_BY:
        assert any(command.startswith(start) for _, _, command in COMMANDS), start


@pytest.mark.parametrize('page', sorted({page for page, _, _ in COMMANDS}))
def test_targets_scripts_options_and_configs_of_commands_exist(page):
    makefile = (ROOT / 'Makefile').read_text()
    for where, _, command in COMMANDS:
        if where != page:
            continue
        words = shlex.split(command, comments=True)
        if words[0] == 'make':
            assert f'\n{words[1]}:' in makefile, command
        for word in words:  # mine.py and its kin are the reader's own
            if re.fullmatch(r'configs/[\w/.-]+\.py', word) and not word.startswith('configs/dmt/mine'):
                assert (ROOT / word).is_file(), command
        scripts = [word for word in words if re.fullmatch(r'tools/[\w/]+\.(py|sh)', word)]
        for script in scripts:
            assert (ROOT / script).is_file(), command
        if scripts and scripts[0].endswith('.py'):
            named = {word.split('=')[0] for word in words if re.match(r'--\w', word)}
            assert named <= options_of(ROOT / scripts[0]), command


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_are_python(page):
    for block in re.findall(r'^```python\n(.*?)^```', page.read_text(), flags=re.DOTALL | re.MULTILINE):
        ast.parse(block)
