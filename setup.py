"""Packaging of mmdmt. Build settings stand in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

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

setup(
    name='mmdmt',
    version=VERSION['__version__'],
    description='Dynamic Mutual Training for semi-supervised learning, as a plugin of MMSegmentation and MMPretrain',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mmdmt', 'mmdmt.*']),
    package_data={'mmdmt': ['py.typed', 'datasets/published_splits.json']},
    install_requires=['torch>=2.1', 'numpy', 'packaging', 'rich'],
    extras_require={'openmmlab': OPENMMLAB, 'demo': DEMO, 'dev': DEVELOPMENT},
)
