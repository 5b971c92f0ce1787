"""Scripts of ``tools``, run in the present process."""

import contextlib
import importlib
import io
import os
import runpy
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / 'tools'


def load_tool(script):
    """Import a script below ``tools`` as Python does when it runs it: others beside it can be imported."""
    path = TOOLS / script
    sys.path.insert(0, str(path.parent))
    try:
        return importlib.import_module(path.stem)
    finally:
        sys.path.remove(str(path.parent))


def run_tool(script, *arguments, cwd):
    """Run a script below ``tools`` in a folder; return its exit status and what it has printed."""
    path, before = TOOLS / script, (Path.cwd(), sys.argv, sys.path[:])
    printed = io.StringIO()
    os.chdir(cwd)
    sys.argv, sys.path[0:0] = [str(path), *map(str, arguments)], [str(path.parent)]
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(path), run_name='__main__')
    except SystemExit as end:
        return end.code or 0, printed.getvalue()
    finally:
        os.chdir(before[0])
        sys.argv, sys.path[:] = before[1:]
    return 0, printed.getvalue()
