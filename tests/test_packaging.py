"""What an installed mmdmt carries, and that MMEngine and mim find it there."""

import os
import re
import runpy
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest
import setuptools
from mmengine.hub import get_config
from toys.digit_scenes import NARROW

from mmdmt import __version__

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
TRACKED = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
FOR_MIM = [name for name in TRACKED if name.startswith(('configs/', 'tools/', 'model-index'))]

in_a_checkout = pytest.mark.skipif(
    not TRACKED, reason='the list of files comes from git, and this is outside a checkout'
)


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A copy of the files that are tracked."""
    copy = tmp_path_factory.mktemp('source')
    for name in TRACKED:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    return copy


def build(source, *kinds):
    """Build with the project's own backend, as pip does, into the folder that is returned."""
    out = source.parent / f'{source.name}-{"-".join(kinds)}'
    out.mkdir()
    calls = ''.join(f'build_meta.build_{kind}({str(out)!r})\n' for kind in kinds)
    code = f'from setuptools import build_meta\n{calls}'
    subprocess.run([sys.executable, '-c', code], cwd=source, check=True, capture_output=True, timeout=120)
    return out


@pytest.fixture(scope='module')
def built(source):
    return build(source, 'sdist', 'wheel')


@pytest.fixture(scope='module')
def installed(built):
    """A folder that pip has installed the wheel to."""
    (wheel,) = built.glob('*.whl')
    folder = built / 'installed'
    command = [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', '--target', folder, wheel]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@in_a_checkout
def test_a_wheel_carries_package_configs_and_tools(built):
    (wheel,) = built.glob('*.whl')
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {name for name in TRACKED if name.startswith('mmdmt/')}
    for folder in ('mmdmt', f'mmdmt-{__version__}.dist-info'):
        expected |= {f'{folder}/.mim/{name}' for name in FOR_MIM}
    assert expected <= names
    assert not [name for name in names if name.startswith('tests') or '__pycache__' in name]


@in_a_checkout
def test_an_sdist_carries_everything_but_what_is_of_git_and_ci(built):
    (sdist,) = built.glob('*.tar.gz')
    with tarfile.open(sdist) as archive:
        names = {name.split('/', 1)[1] for name in archive.getnames() if '/' in name}
    assert {name for name in TRACKED if not name.startswith('.')} <= names


@in_a_checkout
@pytest.mark.parametrize('repository', [None, 'someone/mmdmt'])
def test_the_description_for_the_index_links_to_no_file_beside_it(source, repository, monkeypatch):
    for name in ('GITHUB_REPOSITORY', 'GITHUB_SERVER_URL', 'GITHUB_REF_NAME'):
        monkeypatch.delenv(name, raising=False)
    if repository:
        monkeypatch.setenv('GITHUB_REPOSITORY', repository)
        monkeypatch.setenv('GITHUB_REF_NAME', 'v0.1.0')
    monkeypatch.setattr(setuptools, 'setup', lambda **settings: None)
    description = runpy.run_path(str(source / 'setup.py'))['readme_for_the_index']()
    targets = re.findall(r'\]\(([^)]+)\)', description)
    assert all(target.startswith('https://') for target in targets)
    files = {
        name for target in targets if (name := re.sub(r'.*/someone/mmdmt/(blob|raw)/v0.1.0/', '', target)) != target
    }
    assert bool(files) == bool(repository)
    assert all((source / name.partition('#')[0]).is_file() for name in files)
    assert ('/raw/v0.1.0/docs/method.svg)' in description) == bool(repository)
    assert 'own data' in description.lower()


@in_a_checkout
def test_an_editable_install_links_to_the_checkout(source):
    (wheel,) = build(source, 'editable').glob('*.whl')
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if '.mim' in name]
    for name in ('configs', 'tools', 'model-index.yml'):
        link = source / 'mmdmt' / '.mim' / name
        assert link.is_symlink()
        assert link.resolve() == (source / name).resolve()


@in_a_checkout
def test_the_folder_of_the_first_installed_file_has_what_mim_looks_for(installed):
    (metadata,) = installed.glob('mmdmt-*.dist-info')
    first = Distribution.at(metadata).files[0].parts[0]
    for name in ('tools/train.py', 'tools/test.py', 'configs', 'model-index.yml'):
        assert (installed / first / '.mim' / name).exists()


@in_a_checkout
def test_mim_trains_tests_and_runs_scripts_of_an_installed_wheel(installed, tmp_path):
    pytest.importorskip('mim', reason='onedl-mim is not installed')

    def mim(*arguments):
        environment = {**os.environ, 'PYTHONPATH': str(installed), 'OMP_NUM_THREADS': '1', 'HOME': str(tmp_path)}
        command = [sys.executable, '-m', 'mim', *arguments]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

    config = 'dmt_unet-resnet_1xb8_digit-scenes.py'
    options = [
        '--cfg-options',
        'train_cfg.val_interval=7',
        'default_hooks.checkpoint.interval=7',
        'custom_hooks.0.warm_up=2',
        'custom_hooks.0.iters=1',
        'train_dataloader.dataset.unlabeled.num_scenes=12',
        'val_dataloader.dataset.num_scenes=4',
        'test_dataloader.dataset.num_scenes=4',
        *NARROW,
    ]
    assert str(installed) in mim('train', 'mmdmt', config, '--work-dir', 'work', *options)
    checkpoint = ['--checkpoint', 'work/iter_7.pth']
    tested = mim('test', 'mmdmt', config, *checkpoint, '--work-dir', 'tested', *options)
    assert 'ensemble/mIoU' in next((tmp_path / 'tested').glob('*/*.log')).read_text(), tested
    mim('run', 'mmdmt', 'export_peer', f'work/{config}', 'work/iter_7.pth', '--peer', 'unet')
    assert (tmp_path / 'work' / 'exported' / 'unet.pth').is_file()
    assert 'dmt_wrn-resnet_1xb32_digits-40' in mim('search', 'mmdmt', '--model', 'dmt-classification')


def test_an_installed_config_is_found_by_name():
    config = get_config('mmdmt::digits/dmt_unet-resnet_1xb8_digit-scenes.py')
    assert list(config.model.peers) == ['unet', 'resnet']
