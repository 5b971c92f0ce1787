"""Export one peer of a run as a plain MMSegmentation config and checkpoint, which load where mmdmt is not installed.

python tools/export_peer.py CONFIG CHECKPOINT --peer NAME [--out-dir DIR]
"""

import argparse
from pathlib import Path

import torch
from mmengine.config import Config

from mmdmt.apis import export_peer


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
    checkpoint = torch.load(args.checkpoint, map_location='cpu', weights_only=True)
    try:
        config, weights = export_peer(Config.fromfile(args.config), checkpoint, args.peer)
    except ValueError as error:
        parser.error(str(error))
    folder.mkdir(parents=True, exist_ok=True)
    config.dump(paths[0])
    torch.save(weights, paths[1])
    print(f'Peer {args.peer}: {paths[0]} and {paths[1]}')


if __name__ == '__main__':
    main()
