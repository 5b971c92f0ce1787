"""Print a run of today's tables as a config that stands alone: a list of labeled images, a network and a method.

    python tools/config.py                   # the names
    python tools/config.py NAME > mine.py    # one of them

What it prints can be trained with, and changed: it needs no other file.
"""

from collections.abc import Sequence
from pprint import pformat

from mmdmt.command_line import parser_of, run


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('name', nargs='?', help='default: list the names')
    args = parser.parse_args(argv)
    from mmdmt.config_table import compose, names  # takes seconds, which a help does not need

    if args.name is None:
        print('\n'.join(f'{name}\n    {title}' for name, title in names().items()))
        return
    try:
        config = compose(args.name)
    except ValueError as error:
        parser.error(str(error))
    print(f'# {names()[args.name]}.')
    for key, value in config.to_dict().items():  # in their order: MMEngine's own text sorts peers
        print(f'{key} = {pformat(value, width=118, compact=True, sort_dicts=False)}')


if __name__ == '__main__':
    run(main)
