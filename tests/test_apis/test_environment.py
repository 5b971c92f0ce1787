from importlib import metadata

import torch
from toys.tools import run_tool


def test_versions_of_packages_and_the_machine_are_told(tmp_path):
    code, printed = run_tool('collect_env.py', cwd=tmp_path)
    assert code == 0
    for line in (f'PyTorch: {torch.__version__}', f'numpy: {metadata.version("numpy")}', 'sys.platform: '):
        assert f'\n{line}' in printed
    assert printed.startswith('mmdmt: ')
