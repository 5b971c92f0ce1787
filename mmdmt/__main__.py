"""Run a script of ours or of a toolbox with mmdmt imported: ``python -m mmdmt train CONFIG --amp``.

For an installed mmdmt, whose scripts are in no folder of the user's; and for scripts of the toolbox that read no config
before they import its models, such as ``analysis_tools/browse_dataset``, and fail on current packages without mmdmt.
"""

import sys
from collections.abc import Collection, Mapping

from mmdmt.apis.toolbox import run_script, run_toolbox_script, script_names
from mmdmt.version import __version__


def scripts() -> dict[str, str]:
    """Map the name of each script to the package it comes from; ours go before those of the toolboxes."""
    packages = ('mmpretrain', 'mmseg', 'mmdmt')
    return {name: package for package in packages for name in script_names(package)}


def overview(found: Mapping[str, str], width: int = 100) -> str:
    """Lay out the names of scripts in columns, by the package that they come from.

    Args:
        found (Mapping[str, str]): The package of each script.
        width (int): Characters of a line. Defaults to 100.
    """
    lines = ['usage: python -m mmdmt SCRIPT [options of the script]', '       python -m mmdmt --version']
    for package in ('mmdmt', 'mmseg', 'mmpretrain'):
        names = sorted(name for name in found if found[name] == package)
        if not names:
            continue
        column = max(map(len, names)) + 2
        columns = max(1, (width - 2) // column)
        rows = -(-len(names) // columns)
        lines += ['', f'Scripts of {package}:']
        lines += ['  ' + ''.join(name.ljust(column) for name in names[row::rows]).rstrip() for row in range(rows)]
    return '\n'.join([*lines, '', '`python -m mmdmt SCRIPT --help` tells the options of one.'])


def unknown(name: str, found: Collection[str]) -> str:
    """Say that there is no script of a name, and which scripts in folders have it.

    Args:
        name (str): What was asked for.
        found (Collection[str]): The names of all scripts.

    Examples:
        >>> unknown('get_flops', ['train', 'analysis_tools/get_flops'])
        "There is no script 'get_flops': take analysis_tools/get_flops."
    """
    meant = sorted(one for one in found if one.endswith(f'/{name}'))
    remedy = f'take {" or ".join(meant)}' if meant else '`python -m mmdmt` lists those there are'
    return f'There is no script {name!r}: {remedy}.'


def main() -> None:
    """Take the script's name off the command line and run it."""
    found = scripts()
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('-V', '--version'):
        print(f'mmdmt {__version__}')
        return
    if name in ('-h', '--help'):
        print(overview(found))
        return
    if name not in found:
        sys.exit(unknown(name, found))
    sys.argv[:2] = [f'mmdmt {name}']
    if found[name] == 'mmdmt':
        run_script(name)
    else:
        run_toolbox_script(f'{name}.py', found[name])


if __name__ == '__main__':
    main()
