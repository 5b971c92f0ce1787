import runpy
import sys
from importlib import metadata
from pathlib import Path

import torch

from mmdmt.apis import collect_env, environment

SCRIPT = Path(__file__).parents[2] / 'tools' / 'collect_env.py'


def test_versions_of_packages_and_the_machine_are_told(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['collect_env'])
    runpy.run_path(str(SCRIPT), run_name='__main__')
    printed = capsys.readouterr().out
    for line in (f'PyTorch: {torch.__version__}', f'numpy: {metadata.version("numpy")}', 'sys.platform: '):
        assert f'\n{line}' in printed
    assert printed.startswith('mmdmt: ')


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    def version(name):
        if name == 'numpy':
            return '9.9'
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(environment.metadata, 'version', version)
    found = collect_env()
    assert found['numpy'] == '9.9'
    assert 'scipy' not in found
