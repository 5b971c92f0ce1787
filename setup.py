"""Packaging of mmdmt. Build settings stand in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
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
DEVELOPMENT = ['pytest', 'ruff', 'mypy']


class BuildWithConfigs(build_py):
    """Put configs and tools where MMEngine and mim look for them: in ``mmdmt/.mim``; links in an editable install."""

    def run(self):
        """Build the package, then add them."""
        super().run()
        folder = (ROOT if self.editable_mode else Path(self.build_lib)) / 'mmdmt' / '.mim'
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ('configs', 'tools', 'model-index.yml'):
            source = ROOT / name
            if self.editable_mode:
                (folder / name).symlink_to(source)
            elif source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy(source, folder / name)


setup(
    name='mmdmt',
    version=VERSION['__version__'],
    description='Dynamic Mutual Training for semi-supervised learning, as a plugin of MMSegmentation and MMPretrain',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    cmdclass={'build_py': BuildWithConfigs},
    packages=find_packages(include=['mmdmt', 'mmdmt.*']),
    package_data={'mmdmt': ['py.typed', 'datasets/published_splits.json']},
    install_requires=['torch>=2.1', 'numpy', 'packaging', 'rich'],
    extras_require={'openmmlab': OPENMMLAB, 'demo': DEMO, 'dev': DEVELOPMENT},
)
