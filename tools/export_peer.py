"""Export one peer of a run as a plain MMSegmentation config and checkpoint, which load where mmdmt is not installed.

python tools/export_peer.py CONFIG CHECKPOINT --peer NAME [--out-dir DIR]
"""

import argparse
import io
import sys
from pathlib import Path

import torch
from mmengine.config import Config

from mmdmt.apis import export_peer
from mmdmt.atomic_write import atomic_write
from mmdmt.models.weights_file import read_checkpoint


def main() -> None:
    """Write <peer>.py and <peer>.pth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', type=Path)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('--peer', required=True, help='name of the peer in the config')
    parser.add_argument('--out-dir', type=Path, help='default: beside the checkpoint, in exported/')
    args = parser.parse_args()
    folder = args.out_dir or args.checkpoint.parent / 'exported'
    paths = [folder / f'{args.peer}{suffix}' for suffix in ('.py', '.pth')]
    for path in paths:
        if path.exists():
            parser.error(f'{path} exists and is not overwritten: remove it, or give another --out-dir.')
    if not args.config.is_file():
        parser.error(f'{args.config}, the config of the run, does not exist: check the path.')
    try:
        checkpoint = read_checkpoint(args.checkpoint, 'the checkpoint of the run')
        config, weights = export_peer(Config.fromfile(args.config), checkpoint, args.peer)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    file = io.BytesIO()
    torch.save(weights, file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(paths[1]) as unfinished:
            unfinished.write_bytes(file.getvalue())
        with atomic_write(paths[0]) as unfinished:
            unfinished.write_text(config.pretty_text, encoding='utf-8')
    except OSError as error:
        paths[1].unlink(missing_ok=True)  # half an export would keep the next from being made
        sys.exit(str(error))
    print(f'Peer {args.peer}: {paths[0]} and {paths[1]}')


if __name__ == '__main__':
    main()
