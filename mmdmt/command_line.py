"""Parse the command line of a script, and end it."""

import argparse
import sys
from collections.abc import Callable


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Return the parser of a script, whose docstring is its help."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def run(main: Callable[[], int | None]) -> None:
    """Run a script, and exit with a status that it returns; wrong input ends it with a sentence, not a stack trace."""
    try:
        status = main()
    except (ImportError, OSError, ValueError) as error:
        sys.exit(str(error))
    if status:
        sys.exit(status)
