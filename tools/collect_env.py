"""Print system, GPUs and versions, for a report of a fault."""

from mmdmt.command_line import parser_of, run


def main() -> None:
    """Run a command line."""
    parser_of(__doc__).parse_args()
    from mmdmt.apis import collect_env  # takes seconds, which a help does not need

    for name, value in collect_env().items():
        print(f'{name}: {value.strip()}')


if __name__ == '__main__':
    run(main)
