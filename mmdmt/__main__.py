"""Run a script of MMSegmentation with mmdmt imported: ``python -m mmdmt train CONFIG --amp``.

For an installed mmdmt, whose scripts are in no folder of the user's; and for scripts of the toolbox that read no config
before they import its models, such as ``analysis_tools/browse_dataset``, and fail on current packages without mmdmt.
"""

import sys

from mmdmt.apis import run_toolbox_script


def main() -> None:
    """Take the script's name off the command line and run it."""
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        sys.exit('usage: python -m mmdmt SCRIPT [options of the script], SCRIPT being train, test, ...')
    script = sys.argv.pop(1)
    sys.argv[0] = f'mmdmt {script}'
    try:
        run_toolbox_script(f'{script}.py')
    except FileNotFoundError as error:
        if f'tools/{script}.py' not in str(error):
            raise
        sys.exit(str(error))


if __name__ == '__main__':
    main()
