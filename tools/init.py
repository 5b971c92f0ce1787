"""Write a config and lists for a folder of your own images, some of them with masks.

    python -m mmdmt init data/streets
    python -m mmdmt init data/streets --val val.txt --labeled 60 --unlabeled data/more --classes road car other
    python -m mmdmt train mine.py

DATA holds a folder of images and one of masks with the same names: images/ and masks/, or train/images and train/masks,
images/train and masks/train, ... What is below a folder val, or what --val names, is validated on; without either, a
fifth of the masks is held out. A mask is one channel of class ids; 255 is ignored. Images without a mask are unlabeled.
Nothing is written into DATA: mine.py and the lists in mine_lists/ go to the present folder, and nothing there is
overwritten.
"""

import argparse
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mmdmt.atomic_write import atomic_write
from mmdmt.command_line import parser_of, run
from mmdmt.preparation import image_lists, own_data
from mmdmt.preparation.own_data import Images

TEMPLATES = {'cpu': ('custom/dmt_custom_cpu.py', 192), 'gpu': ('custom/dmt_custom.py', 512)}


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line."""
    parser = parser_of(__doc__)
    parser.add_argument('data', type=Path, help='the folder of images and masks')
    parser.add_argument('--out', type=Path, default=Path('mine.py'), help='the config to write (default: mine.py)')
    parser.add_argument('--classes', nargs='+', default=(), metavar='NAME', help='names of the ids 0, 1, ...')
    parser.add_argument('--val', type=Path, metavar='LIST', help='validate on the images of this list, one a line')
    parser.add_argument('--labeled', type=int, metavar='N', help='use the masks of N images only (default: all)')
    parser.add_argument(
        '--unlabeled', nargs='+', type=Path, default=(), metavar='DIR', help='more images without masks'
    )
    parser.add_argument('--device', choices=TEMPLATES, help='networks for a CPU or a GPU (default: what there is)')
    parser.add_argument('--size', type=int, help='length of the shorter side (default: 192 on a CPU, 512 on a GPU)')
    parser.add_argument('--seed', type=int, default=0, help='of the lists (default: 0)')
    parser.add_argument('--no-estimate', action='store_true', help='do not try how long training takes')
    args = parser.parse_args(argv)
    for path in (args.out, folder := args.out.with_name(f'{args.out.stem}_lists')):
        if path.exists():
            parser.error(f'{path} exists and is not overwritten: remove it, or give another --out.')
    print(write_config(args, folder), flush=True)
    if not args.no_estimate:
        from mmdmt.apis.run_estimate import estimate  # takes seconds, which a help does not need

        print(estimate(args.out), flush=True)
    print(f'\nNext: python -m mmdmt train {args.out}')


def write_config(args: argparse.Namespace, folder: Path) -> str:
    """Write the config and the lists; return what was found, in words."""
    images, val = own_data.find_pairs(args.data)
    masks = own_data.read_masks({name: images.masks / f'{name}{images.mask_suffix}' for name in images.names})
    classes = own_data.name_classes(masks, args.classes)
    held_out: Sequence[str] | float | None = None if val else min(5, len(images.names))
    if args.val:
        val, held_out = None, image_lists.find_ids(args.val, [*images.names, *images.without], images.suffix)
    lists = own_data.split_lists(images.names, images.without, masks.classes, held_out, args.labeled, args.seed)
    more = own_data.images_in(args.unlabeled)
    if not lists['unlabeled'] and not more:
        raise ValueError(
            f'Every image in {images.folder} has a mask, and DMT learns from images without one, too: give a folder of '
            'them by --unlabeled, or --labeled N to use the masks of N images only.'
        )
    device = args.device or _device()
    template, most = TEMPLATES[device]
    if device == 'cpu' and find_spec('timm') is None:
        raise ValueError('The networks for a CPU need timm and weights: run `pip install "mmdmt[photographs]"`.')
    side = own_data.shorter_side(images, args.size or most)
    unlabeled = _unlabeled(images, lists['unlabeled'], more, hidden=args.labeled is not None)
    found = {'labeled': lists['labeled'], 'unlabeled': unlabeled.pop('names'), 'val': lists.get('val') or val.names}
    image_lists.write_lists(folder, {f'{name}.txt': names for name, names in found.items()}, args.data)
    text = _config(template, side, classes, own_data.class_weights(masks, len(classes)), folder, unlabeled, images, val)
    with atomic_write(args.out) as unfinished:
        unfinished.write_text(text, encoding='utf-8')
    held = args.val or ('a fifth of the masks, held out' if val is None else val.folder)
    seen = [label for label, name in enumerate(classes) if not masks.pixels[label]]
    lines = [
        f'images      {images.folder}, masks {images.masks}',
        f'classes     {len(classes)}: {", ".join(classes)}',
        f'labeled     {len(found["labeled"])}',
        f'unlabeled   {len(found["unlabeled"])}',
        f'validation  {len(found["val"])} ({held})',
        f'size        shorter side {side}, crops of {side}x{side}',
        f'networks    {template}',
        f'written     {args.out}, {folder}/labeled.txt, unlabeled.txt, val.txt',
    ]
    if seen:
        lines.append(f'WARNING: no mask shows {", ".join(classes[label] for label in seen)}, which cannot be learned.')
    return '\n'.join(lines)


def _device() -> str:
    import torch

    return 'gpu' if torch.cuda.is_available() else 'cpu'


def _unlabeled(images: Images, names: Sequence[str], more: Sequence[Path], hidden: bool) -> dict:
    """Return the folder, suffix and names of unlabeled images, which may lie in several folders."""
    if not more:
        prefix = {'img_path': str(images.folder)} | ({'seg_map_path': str(images.masks)} if hidden else {})
        return {'names': names, 'img_suffix': images.suffix, 'data_prefix': prefix}
    paths = [*(images.folder / f'{name}{images.suffix}' for name in names), *more]
    root = Path(os.path.commonpath([path.parent for path in paths]))
    # Files of several kinds: the suffix is part of each name.
    every = sorted(path.relative_to(root).as_posix() for path in paths)
    return {'names': every, 'img_suffix': '', 'data_prefix': {'img_path': str(root)}}


def _config(
    template: str,
    side: int,
    classes: Sequence[str],
    weights: Sequence[float],
    folder: Path,
    unlabeled: dict,
    images: Images,
    val: Images | None,
) -> str:
    """Return the text of the config."""
    val = val or images
    palette = own_data.palette_of(len(classes))
    lists = folder.resolve()
    other = ''
    if (val.suffix, val.mask_suffix) != (images.suffix, images.mask_suffix):
        other = f'val_masks = dict(img_suffix={val.suffix!r}, seg_map_suffix={val.mask_suffix!r}, **known)\n'
    # Of ground truth: one over the root of a share of pixels.
    loss = f'loss=dict(class_weight={weights}), '
    rest = '**masks,' if unlabeled['img_suffix'] else "**dict(masks, img_suffix=''),  # names with their suffixes"
    peers = ('lite0', 'lite1') if 'cpu' in template else ('left', 'right')
    heads = 'decode_head=dict(num_classes=len(classes))'
    if 'cpu' not in template:
        heads += ', auxiliary_head=dict(num_classes=len(classes))'
    return f"""# Written by `python -m mmdmt init`: a config like any other, to be changed at will.
_base_ = 'mmdmt::{template}'
classes = {tuple(classes)!r}
palette = {palette!r}
known = dict(metainfo=dict(classes=classes, palette=palette))
masks = dict(img_suffix={images.suffix!r}, seg_map_suffix={images.mask_suffix!r}, **known)
{other}image = dict(type='LoadImageFromFile')
resize = dict(type='Resize', scale=({4 * side}, {side}), keep_ratio=True)
mask, pack = dict(type='LoadAnnotations'), dict(type='PackSegInputs')
augment = [
    dict(type='mmdmt.RandomScale', min_factor=0.5, max_factor=1.5),
    dict(type='RandomCrop', crop_size=({side}, {side}), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
]
pseudo = [image, resize, dict(type='mmdmt.LoadPseudoLabel'), *augment, dict(type='mmdmt.PackPseudoLabel')]
train_dataloader = dict(
    dataset=dict(
        labeled=dict(
            data_root='',
            ann_file={str(lists / 'labeled.txt')!r},
            data_prefix=dict(img_path={str(images.folder)!r}, seg_map_path={str(images.masks)!r}),
            pipeline=[image, mask, resize, *augment, pack],
            **masks,
        ),
        unlabeled=dict(
            data_root='',
            ann_file={str(lists / 'unlabeled.txt')!r},
            data_prefix={unlabeled['data_prefix']!r},
            pipeline=pseudo,
            {rest}
        ),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root='',
        ann_file={str(lists / 'val.txt')!r},
        data_prefix=dict(img_path={str(val.folder)!r}, seg_map_path={str(val.masks)!r}),
        pipeline=[image, resize, mask, pack],
        **{'val_masks' if other else 'masks'},
    )
)
test_dataloader = val_dataloader
peer = dict(data_preprocessor=dict(size=({side}, {side})), {heads})
model = dict({loss if weights else ''}peers=dict({peers[0]}=peer, {peers[1]}=peer))
"""


if __name__ == '__main__':
    run(main)
