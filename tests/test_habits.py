"""Workflows, issue forms and settings of services are valid, and nothing is published but by a tag."""

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

pytestmark = pytest.mark.skipif(not GITHUB.is_dir(), reason='an sdist has no workflows')


@pytest.mark.parametrize('path', SCHEMAS, ids=lambda path: path.name)
def test_a_file_follows_the_schema_of_its_service(path):
    check_jsonschema = pytest.importorskip('check_jsonschema')
    from click.testing import CliRunner

    result = CliRunner().invoke(check_jsonschema.main, ['--builtin-schema', SCHEMAS[path], str(path)])
    assert result.exit_code == 0, result.output


def test_every_job_has_a_time_limit():
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text())['jobs'].values()]
    assert all('timeout-minutes' in job for job in jobs)


def test_nothing_is_published_but_by_a_tag_of_the_version():
    release = yaml.safe_load((GITHUB / 'workflows/release.yml').read_text())
    assert release[True] == {'push': {'tags': ['v*']}}  # YAML 1.1 reads `on` as true
    steps = [step.get('run') for step in release['jobs']['dist']['steps']]
    assert steps.index('make check-tag TAG="$GITHUB_REF_NAME"') < steps.index('make dist')
    assert release['jobs']['publish']['needs'] == 'dist'
    assert release['jobs']['publish']['permissions'] == {'id-token': 'write'}
