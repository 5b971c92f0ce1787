"""Workflows, issue forms and settings of tools: valid, and saying the same as Makefile and setup.py."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / '.github'
WORKFLOWS = sorted(GITHUB.glob('workflows/*.yml'))
FORMS = sorted(set(GITHUB.glob('ISSUE_TEMPLATE/*.yml')) - {GITHUB / 'ISSUE_TEMPLATE/config.yml'})
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, 'vendor.github-workflows'),
    **dict.fromkeys(FORMS, 'vendor.github-issue-forms'),
    GITHUB / 'ISSUE_TEMPLATE/config.yml': 'vendor.github-issue-config',
    GITHUB / 'dependabot.yml': 'vendor.dependabot',
    ROOT / '.readthedocs.yaml': 'vendor.readthedocs',
    ROOT / 'CITATION.cff': 'vendor.citation-file-format',
}
TARGETS = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), flags=re.MULTILINE))


pytestmark = pytest.mark.skipif(not GITHUB.is_dir(), reason='an sdist has no workflows')


def jobs():
    return [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text())['jobs'].values()]


def commands():
    return [step['run'] for job in jobs() for step in job['steps'] if 'run' in step]


@pytest.mark.parametrize('path', SCHEMAS, ids=lambda path: path.name)
def test_a_file_follows_the_schema_of_its_service(path):
    check_jsonschema = pytest.importorskip('check_jsonschema')
    from click.testing import CliRunner

    result = CliRunner().invoke(check_jsonschema.main, ['--builtin-schema', SCHEMAS[path], str(path)])
    assert result.exit_code == 0, result.output


def test_every_job_has_a_time_limit():
    assert all('timeout-minutes' in job for job in jobs())


def test_workflows_run_targets_of_the_makefile_and_nothing_else():
    assert {'make test', 'make test-fast', 'make docs', 'make dist'} <= set(commands())
    for command in commands():
        assert re.fullmatch(r'make ([\w-]+)( TAG="\$GITHUB_REF_NAME")?', command)
        assert command.split()[1] in TARGETS


def test_quick_tests_run_on_every_python_of_the_classifiers():
    declared = re.findall(r"'Programming Language :: Python :: (3\.\d+)'", (ROOT / 'setup.py').read_text())
    fast = yaml.safe_load((GITHUB / 'workflows/ci.yml').read_text())['jobs']['fast']
    assert fast['strategy']['matrix']['python'] == declared


def test_ruff_and_mypy_check_for_the_oldest_python_that_is_allowed():
    (oldest,) = re.findall(r"python_requires='>=(3\.\d+),", (ROOT / 'setup.py').read_text())
    tools = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']
    assert tools['ruff']['target-version'] == f'py{oldest.replace(".", "")}'
    assert tools['mypy']['python_version'] == oldest


def test_ci_is_the_readmes_test_command_and_the_quick_part_on_onedl():
    lines = (ROOT / '.ci/run').read_text().splitlines()
    assert [line for line in lines if line.startswith('make ')] == ['make test', 'make test-onedl-quick']
    assert re.search(r'^make test\b', (ROOT / 'README.md').read_text(), flags=re.MULTILINE)


def test_read_the_docs_builds_as_make_docs():
    assert yaml.safe_load((ROOT / '.readthedocs.yaml').read_text())['build']['commands'][0] == 'make docs'


def test_tools_of_pre_commit_are_those_of_the_pinned_list():
    (repo,) = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos']
    assert repo['repo'] == 'local'
    entries = [hook['entry'].split()[0] for hook in repo['hooks']]
    assert entries == ['.venv/bin/ruff', '.venv/bin/ruff', '.venv/bin/mypy', 'end-of-file-fixer', *entries[4:]]


def test_reports_of_faults_and_of_results_ask_for_the_environment():
    asking = [path.stem for path in FORMS if '`python -m mmdmt collect_env`' in path.read_text()]
    assert asking == ['bug', 'results']


def test_nothing_is_published_but_by_a_tag_of_the_version():
    release = yaml.safe_load((GITHUB / 'workflows/release.yml').read_text())
    assert release[True] == {'push': {'tags': ['v*']}}  # YAML 1.1 reads `on` as true
    steps = [step.get('run') for step in release['jobs']['dist']['steps']]
    assert steps.index('make check-tag TAG="$GITHUB_REF_NAME"') < steps.index('make dist')
    assert release['jobs']['publish']['needs'] == 'dist'
    assert release['jobs']['publish']['permissions'] == {'id-token': 'write'}


def test_names_of_tests_are_short_enough_to_read():
    files = (ROOT / 'tests').rglob('test_*.py')
    names = [name for path in files for name in re.findall(r'^def (test_\w+)', path.read_text(), flags=re.MULTILINE)]
    assert [name for name in names if len(name) > 70] == []
