"""Print system, GPUs and versions, for a report of a fault."""

import argparse


def main() -> None:
    """Run a command line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    from mmdmt.apis import collect_env  # takes seconds, which a help does not need

    for name, value in collect_env().items():
        print(f'{name}: {value.strip()}')


if __name__ == '__main__':
    main()
