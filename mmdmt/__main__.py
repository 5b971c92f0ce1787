"""Run a script of an installed mmdmt, which lies in no folder of the user's: ``python -m mmdmt train CONFIG --amp``."""

import sys
from collections.abc import Mapping

from mmdmt.scripts import our_scripts, run_script
from mmdmt.version import __version__


def overview(found: Mapping[str, str]) -> str:
    """Lay out scripts with what each does."""
    column = max(map(len, found)) + 2
    return '\n'.join(
        [
            'usage: python -m mmdmt SCRIPT [options of the script]',
            '       python -m mmdmt --version',
            '',
            *(f'  {name.ljust(column)}{purpose}' for name, purpose in found.items()),
            '',
            '`python -m mmdmt SCRIPT --help` prints the options of one.',
        ]
    )


def main() -> None:
    """Take the script's name off the command line and run it."""
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('-V', '--version'):
        print(f'mmdmt {__version__}')
        return
    found, name = our_scripts(), name if name.startswith('-') else name.replace('-', '_')
    if name in ('-h', '--help'):
        print(overview(found))
        return
    if name not in found:
        sys.exit(f'There is no script {name!r}: take one of {", ".join(found)}.')
    sys.argv[:2] = [f'mmdmt {name}']
    run_script(name)


if __name__ == '__main__':
    main()
