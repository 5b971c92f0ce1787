"""What an installed mmdmt carries."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from mmengine.hub import get_config

ROOT = Path(__file__).parents[1]
TRACKED = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """A wheel and an sdist, built from a copy of the files that are tracked."""
    copy, out = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('dist')
    for name in TRACKED:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    code = (
        'from setuptools import build_meta\n'
        f'print(build_meta.build_sdist({str(out)!r}))\nprint(build_meta.build_wheel({str(out)!r}))'
    )
    subprocess.run([sys.executable, '-c', code], cwd=copy, check=True, capture_output=True, timeout=120)
    return out


@pytest.mark.skipif(not TRACKED, reason='the list of files comes from git, and this is no checkout')
def test_a_wheel_carries_package_configs_and_tools(built):
    (wheel,) = built.glob('*.whl')
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {name for name in TRACKED if name.startswith('mmdmt/')}
    expected |= {f'mmdmt/.mim/{name}' for name in TRACKED if name.startswith(('configs/', 'tools/', 'model-index'))}
    assert expected <= names
    assert not [name for name in names if name.startswith('tests') or '__pycache__' in name]


@pytest.mark.skipif(not TRACKED, reason='the list of files comes from git, and this is no checkout')
def test_an_sdist_carries_everything_but_what_is_of_git_and_ci(built):
    (sdist,) = built.glob('*.tar.gz')
    with tarfile.open(sdist) as archive:
        names = {name.split('/', 1)[1] for name in archive.getnames() if '/' in name}
    assert {name for name in TRACKED if not name.startswith('.')} <= names


def test_an_installed_config_is_found_by_name():
    config = get_config('mmdmt::dmt/dmt_unet-resnet_1xb8_digit-scenes.py')
    assert list(config.model.peers) == ['unet', 'resnet']
