"""The commands of the page on following a run work."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from toys.run_folders import write_run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'en' / 'follow_a_run.md').read_text()
COMMANDS = re.findall(r'^python -m mmdmt report (.*)$', PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize('command', COMMANDS)
def test_its_commands_run(command, tmp_path, monkeypatch, capsys):
    arguments = shlex.split(command)
    for name in arguments:
        if name.startswith('work_dirs/'):
            write_run(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['report', *arguments])
    runpy.run_path(str(ROOT / 'tools' / 'report.py'), run_name='__main__')
    written = Path(capsys.readouterr().out.split(' (')[0])
    assert written == Path(arguments[-1] if '--out' in arguments else f'{arguments[0]}/report.html')
    assert written.is_file()
