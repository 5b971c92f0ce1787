"""Collect the wheels that a machine with PyTorch lacks, to run `make gpu` where there is no network.

They go to work_dirs/gpu/wheels, which git ignores: copy the checkout there and run
`python -m pip install --no-index --no-deps --target work_dirs/gpu/site work_dirs/gpu/wheels/*.whl`, then
`make gpu`. PyTorch, NumPy, SciPy, matplotlib, Pillow, PyYAML, regex, OpenCV and pytest are taken from that machine;
`--also opencv-python-headless` collects one of them, too.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / 'requirements' / 'pinned.txt'
NAMES = ('mmengine', 'mmcv-lite', 'mmsegmentation', 'mmpretrain', 'ftfy', 'zstandard')
# What these need and is pure Python or small.
PURE = (
    'addict',
    'yapf',
    'termcolor',
    'prettytable',
    'wcwidth',
    'einops',
    'mat4py',
    'modelindex',
    'model-index',
    'ordered-set',
    'rich',
    'markdown-it-py',
    'mdurl',
    'pygments',
    'importlib-metadata',
    'zipp',
    'packaging',
)
LIMIT = 60  # MB


def requirements(pinned: str) -> list[str]:
    """Return what is collected, pinned where the project pins it.

    Raises:
        ValueError: If the project does not pin one of its packages.
    """
    lines = {re.split('[=<>~!]', line)[0]: line for line in pinned.split() if not line.startswith('#')}
    missing = [name for name in NAMES if name not in lines]
    if missing:
        raise ValueError(f'{PINNED} lacks {", ".join(missing)}: pin them there.')
    return [*(lines[name] for name in NAMES), *PURE]


def main(argv: Sequence[str] | None = None) -> None:
    """Download them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'gpu' / 'wheels')
    parser.add_argument('--also', nargs='*', default=[], help='further packages; the limit of 60 MB is not for them')
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = requirements(PINNED.read_text())
    download = [
        sys.executable,
        '-m',
        'pip',
        'download',
        '--quiet',
        '--no-deps',
        '--only-binary=:all:',
        '--dest',
        args.out,
    ]
    subprocess.run([*map(str, download), *wanted], check=True)
    size = sum(path.stat().st_size for path in args.out.glob('*.whl')) / 1e6
    if size > LIMIT and not args.also:
        raise SystemExit(f'The wheels in {args.out} have {size:.0f} MB, more than {LIMIT}: empty the folder first.')
    if args.also:
        subprocess.run([*map(str, download), *args.also], check=True)
    print(f'{len(list(args.out.glob("*.whl")))} wheels, {size:.1f} MB, in {args.out}')


if __name__ == '__main__':
    main()
