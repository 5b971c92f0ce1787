"""Export what a run has trained: a peer as a plain MMSegmentation config and checkpoint, or an ONNX file.

    python tools/export_peer.py CONFIG CHECKPOINT --peer NAME [--out-dir DIR]
    python tools/export_peer.py CONFIG CHECKPOINT --peer NAME --onnx FILE
    python tools/export_peer.py CONFIG CHECKPOINT --peer ensemble --onnx FILE

The first writes <peer>.py and <peer>.pth, which load where mmdmt is not installed, and mm_cures.py: where mmcv-lite or
a newer PyTorch, numpy or Python keeps MMSegmentation from being imported, `import mm_cures` before it.
"""

import argparse
import io
from pathlib import Path

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of, run

ENSEMBLE = 'ensemble'


def main() -> None:
    """Write <peer>.py and <peer>.pth, or an ONNX file."""
    parser = parser_of(__doc__)
    parser.add_argument('config', type=Path)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('--peer', required=True, help=f'name of the peer in the config; with --onnx also {ENSEMBLE}')
    parser.add_argument('--out-dir', type=Path, help='default: beside the checkpoint, in exported/')
    parser.add_argument('--onnx', type=Path, metavar='FILE', help='write this ONNX file in place of them')
    args = parser.parse_args()
    if args.onnx:
        write_onnx(args)
    else:
        write_plain(args)


def write_onnx(args: argparse.Namespace) -> None:
    """Write one file, and say how it compares with PyTorch."""
    if args.out_dir:
        raise ValueError('--out-dir is for config and weights: name the file and its folder by --onnx alone.')
    if args.onnx.exists():
        raise FileExistsError(f'{args.onnx} exists and is not overwritten: remove it, or give another --onnx.')
    from mmdmt.apis import export_onnx, init_peers  # takes seconds, which a help does not need

    model = init_peers(args.config, args.checkpoint, peer=args.peer)
    args.onnx.parent.mkdir(parents=True, exist_ok=True)
    print(export_onnx(model, args.onnx))
    print(f'{args.peer}: {args.onnx}')


def write_plain(args: argparse.Namespace) -> None:
    """Write a config, weights, and what makes MMSegmentation importable elsewhere."""
    if args.peer == ENSEMBLE:
        raise ValueError('A plain config holds one network, and the ensemble is several: give --onnx FILE, or a peer.')
    import torch  # these take seconds, which a help does not need

    from mmdmt.apis.export import cures_for_elsewhere, export_peer
    from mmdmt.apis.inference import read_config
    from mmdmt.models.weights import read_checkpoint

    folder = args.out_dir or args.checkpoint.parent / 'exported'
    settings, weights, cures = (folder / name for name in (f'{args.peer}.py', f'{args.peer}.pth', 'mm_cures.py'))
    for path in (settings, weights):
        if path.exists():
            raise FileExistsError(f'{path} exists and is not overwritten: remove it, or give another --out-dir.')
    checkpoint = read_checkpoint(args.checkpoint, 'the checkpoint of the run')
    config, exported = export_peer(read_config(args.config), checkpoint, args.peer)
    file = io.BytesIO()
    torch.save(exported, file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not cures.exists():  # of another peer
            with atomic_write(cures) as unfinished:
                unfinished.write_text(cures_for_elsewhere(), encoding='utf-8')
        with atomic_write(weights) as unfinished:
            unfinished.write_bytes(file.getvalue())
        with atomic_write(settings) as unfinished:
            unfinished.write_text(config.pretty_text, encoding='utf-8')
    except OSError:
        weights.unlink(missing_ok=True)  # half an export would keep the next from being made
        raise
    print(f'Peer {args.peer}: {settings} and {weights}')


if __name__ == '__main__':
    run(main)
