"""Run a script of ours or of a toolbox with mmdmt imported: ``python -m mmdmt train CONFIG --amp``.

For an installed mmdmt, whose scripts are in no folder of the user's; and for scripts of the toolbox that read no config
before they import its models, such as ``analysis_tools/browse_dataset``, and fail on current packages without mmdmt.
"""

import sys

from mmdmt.apis.toolbox import run_script, run_toolbox_script, script_names


def scripts() -> dict[str, str]:
    """Map the name of each script to the package it comes from; ours go before those of the toolboxes."""
    packages = ('mmpretrain', 'mmseg', 'mmdmt')
    return {name: package for package in packages for name in script_names(package)}


def main() -> None:
    """Take the script's name off the command line and run it."""
    found = scripts()
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('-h', '--help'):
        print('usage: python -m mmdmt SCRIPT [options of the script]\n')
        for package in ('mmdmt', 'mmseg', 'mmpretrain'):
            print(f'{package}: {", ".join(name for name in found if found[name] == package)}')
        return
    if name not in found:
        sys.exit(f'There is no script {name!r}: `python -m mmdmt` lists those there are.')
    sys.argv[:2] = [f'mmdmt {name}']
    if found[name] == 'mmdmt':
        run_script(name)
    else:
        run_toolbox_script(f'{name}.py', found[name])


if __name__ == '__main__':
    main()
