"""Collect the wheels that a machine with PyTorch lacks, to run `make gpu` where there is no network.

They go to work_dirs/gpu/wheels, which git ignores: copy the checkout there and run
`python -m pip install --no-index --no-deps --target work_dirs/gpu/site work_dirs/gpu/wheels/*.whl`, then
`make gpu`. PyTorch, NumPy, SciPy, matplotlib, Pillow, PyYAML, regex, OpenCV, rich and pytest are taken from that
machine; `--also opencv-python-headless` collects one of them, too. pip finds what the others need.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdmt.command_line import parser_of

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / 'requirements' / 'pinned.txt'
NAMES = ('mmengine', 'mmcv-lite', 'mmsegmentation', 'mmpretrain', 'ftfy', 'zstandard')
# What every machine for deep learning has, and what comes with it.
THERE = (
    *('torch', 'torchvision', 'numpy', 'scipy', 'matplotlib', 'pillow', 'pyyaml', 'regex', 'pytest', 'rich'),
    *('opencv-python', 'contourpy', 'cycler', 'fonttools', 'kiwisolver', 'pyparsing', 'python-dateutil', 'six'),
    *('packaging', 'markdown-it-py', 'mdurl', 'pygments'),
)
LIMIT = 60  # MB


def requirements(pinned: str) -> list[str]:
    """Return what is needed as the project pins it, or refuse if it pins one not."""
    lines = {re.split('[=<>~!]', line)[0]: line for line in pinned.split() if not line.startswith('#')}
    if missing := [name for name in NAMES if name not in lines]:
        raise ValueError(f'{PINNED} lacks {", ".join(missing)}: pin them there.')
    return [lines[name] for name in NAMES]


def main(argv: Sequence[str] | None = None) -> None:
    """Download them."""
    parser = parser_of(__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'gpu' / 'wheels')
    parser.add_argument(
        '--python', default='.'.join(map(str, sys.version_info[:2])), help='Python of that machine (default: this one)'
    )
    parser.add_argument('--also', nargs='*', default=[], help='further packages; the limit of 60 MB is not for them')
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, '-m', 'pip', '--quiet', '--disable-pip-version-check']
    target = ['--only-binary=:all:', '--python-version', args.python]
    download = [*pip, 'download', '--no-deps', *target, '--dest', str(args.out)]
    resolve = [*pip, 'install', '--dry-run', '--ignore-installed', '--report', '-', *target, '--target', str(args.out)]
    resolved = subprocess.run(
        [*resolve, *requirements(PINNED.read_text())], check=True, stdout=subprocess.PIPE, text=True
    )
    found = [one['metadata'] for one in json.loads(resolved.stdout)['install']]
    lacking = [f'{one["name"]}=={one["version"]}' for one in found if one['name'].lower() not in THERE]
    subprocess.run([*download, *lacking], check=True)
    size = sum(path.stat().st_size for path in args.out.glob('*.whl')) / 1e6
    if size > LIMIT and not args.also:
        raise SystemExit(f'The wheels in {args.out} have {size:.0f} MB, more than {LIMIT}: empty the folder first.')
    if args.also:
        subprocess.run([*download, *args.also], check=True)
    print(f'{len(list(args.out.glob("*.whl")))} wheels, {size:.1f} MB, in {args.out}')


if __name__ == '__main__':
    main()
