"""Write lists of labeled and unlabeled images, made from a data set that is on this machine.

    python tools/make_splits.py voc12aug data/VOCdevkit/VOC2012 splits
    python tools/make_splits.py cityscapes data/cityscapes splits
    python tools/make_splits.py camvid data/camvid_240x180 splits
    python tools/make_splits.py small voc_animals splits
    python tools/make_splits.py masked mine data/mine/images data --masks data/mine/masks --val 5
    python tools/make_splits.py masked mine data/mine/images data --masks data/mine/masks \
      --val-list val.txt --labeled 60 --unlabeled data/more
    python tools/make_splits.py generic polyps data/kvasir/images splits --img-suffix .jpg --denominators 4 8
    python tools/make_splits.py import UniMatch/splits/pascal/92/labeled.txt --dataset voc

The first three make the lists of published tables; the fourth writes those of our tables of VOC animals (or kvasir),
which need no data. `masked` lists images by whether they have a mask; its second form takes a validation list of your
own, labels 60 of the other masks, and leaves the rest and another folder unlabeled. `generic` hides masks of a folder
that has all of them. `import` takes over lists of UniMatch, U2PL and those that use theirs.

Every list is an `ann_file` of MMSegmentation, in OUT_DIR/NAME:
    split0/labeled_1of8.txt, unlabeled_1of8.txt      split ids 0, 1, 2; within one, 1/8 is part of 1/4
    split0/labeled_30.txt, unlabeled_30.txt          with --labeled 30
    split0/dms_left_1of8.txt, dms_right_1of8.txt     parts for the warm-up of two peers, of 1/8 and less
    sbd/labeled.txt, unlabeled.txt                   VOC's own images labeled, those of SBD not
    day2dusk/day.txt, dusk.txt, dusk_val.txt         of CamVid: from two drives by day to one at dusk
    val.txt, labeled.txt, unlabeled.txt              of masked

A file that exists is never written over, nor anything into the data set. The exit status is 1 if lists were written
that differ from the published ones of the same names.
"""

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdmt.command_line import parser_of, run
from mmdmt.preparation import image_lists, known_lists, list_import, own_data, published_splits, splits
from mmdmt.preparation.near_duplicates import near_duplicates, propose_group

Args = argparse.Namespace
Lists = Mapping[str, Sequence[str]]


def voc12aug(root: Path) -> Lists:
    """Make the published splits of VOC 2012 with the masks of SBD."""
    train, trainaug = (list_import.voc_images(root, part) for part in ('train', 'trainaug'))
    sbd = published_splits.sbd_lists(train, trainaug)._asdict()
    return {**splits_of('voc12aug', trainaug), **{f'sbd/{part}.txt': images for part, images in sbd.items()}}


def cityscapes(root: Path) -> Lists:
    """Make the published splits of Cityscapes."""
    stock = list_import.read_stock('cityscapes', root)
    return {**splits_of('cityscapes', stock.train), 'val.txt': stock.val}


def camvid(root: Path) -> Lists:
    """Make the lists of our table of CamVid."""
    return published_splits.camvid_lists(image_lists.ids_in_folder(root / 'train', '.png'))


def splits_of(name: str, ids: Sequence[str]) -> Lists:
    """Make the published splits of a data set."""
    made = published_splits.published_splits(ids, published_splits.PUBLISHED_DENOMINATORS[name])
    return published_splits.with_parts(made)


PUBLISHED = {make.__name__: make for make in (voc12aug, cityscapes, camvid)}


def published(args: Args) -> int:
    """Write the lists of a published table."""
    return write(args, PUBLISHED[args.name](args.data_root), args.data_root)


def small(args: Args) -> int:
    """Write the lists of our tables of small images, which the package holds."""
    return write(args, published_splits.small_lists(args.name), Path('data'))


def generic(args: Args) -> int:
    """Split the images of any folder, or those of them that a list names."""
    ids = images_of(args)
    if args.list:
        ids = image_lists.find_ids(args.list, ids, args.img_suffix)
    groups = splits.group_of(ids, args.group) if args.group else None
    classes = classes_of(args, ids) if args.masks else None
    val, rest = splits.held_out(ids, args.val, args.seed, classes, groups) if args.val is not None else ([], ids)
    if args.labeled:
        sizes, before = {str(size): size for size in args.labeled}, ''
    else:
        sizes, before = splits.sizes_of(len(rest), {f'{s:g}': s for s in args.denominators or (2, 4, 8)}), '1of'
    strata = splits.strata_of(rest, classes, groups)
    made = splits.sized_split(rest, sizes, args.seed, args.num_splits, strata, groups)
    files = published_splits.with_parts(made, args.seed, before)
    write(args, {**files, **({'val.txt': val} if val else {})}, args.images)
    warn_of_neighbors(args, {'val': val, 'rest': rest})
    return 0


def masked(args: Args) -> int:
    """List the images of a folder that have a mask, and those that have none."""
    ids = images_of(args)
    if args.masks is None:
        raise ValueError('masked needs --masks: give the folder of the masks that there are.')
    with_mask = [image for image in ids if mask_of(args, image).is_file()]
    if not with_mask:
        raise ValueError(
            f'None of the {len(ids)} images in {args.images} has a mask, such as {mask_of(args, ids[0])}: check '
            '--masks and the suffixes.'
        )
    bare = sorted(set(ids) - set(with_mask))
    groups = splits.group_of(ids, args.group) if args.group else None
    val = image_lists.find_ids(args.val_list, with_mask, args.img_suffix) if args.val_list else args.val
    lists = own_data.split_lists(with_mask, bare, classes_of(args, with_mask), val, args.labeled, args.seed, groups)
    if dropped := len(ids) - sum(map(len, lists.values())):
        print(f'{dropped} images are left out: the groups that they are of are in val.txt.')
    for folder in args.unlabeled:  # a name may lead to another folder
        there = os.path.relpath(folder, args.images)
        lists['unlabeled'] += [f'{there}/{image}' for image in image_lists.ids_in_folder(folder, args.img_suffix)]
    if not lists['unlabeled']:
        print('Every image has a mask: give other images by --unlabeled, or hide masks with --labeled N.')
    write(args, {f'{name}.txt': images for name, images in lists.items() if images}, args.images)
    warn_of_neighbors(args, lists)
    return 0


def import_(args: Args) -> int:
    """Take over lists of other papers, in any of their forms, and say which they are."""
    benchmark = list_import.BENCHMARKS[args.dataset]
    root, stock = args.data_root or benchmark.data_root, None
    if args.data_root or root.is_dir():
        stock = list_import.read_stock(args.dataset, root)
    else:
        print(
            f'{root} does not exist, so the images are not looked up, and no list is made of those that are left: '
            'give --data-root.'
        )
    lists = list_import.import_lists(args.lists, args.dataset, stock, args.name)
    folder = args.out_dir / benchmark.name
    image_lists.write_lists(folder, {one.file: one.images for one in lists}, root)
    for one in lists:
        known = one.known.name if one.known else f'no list that is known, taken as {one.part}'
        print(f'{one.source or "the images left"}: {len(one.images)} images, {known}; in {folder / one.file}')
    return 0


def images_of(args: Args) -> list[str]:
    """List the images of a folder, and say which end otherwise."""
    if others := image_lists.left_out(args.images, args.img_suffix):
        print(
            f'WARNING: {len(others)} images of {args.images} do not end in {args.img_suffix!r} and are in no list, '
            f'such as {others[0]}: a dataset has one img_suffix (.JPG is not .jpg), so rename or convert them first.'
        )
    return image_lists.ids_in_folder(args.images, args.img_suffix, args.mask_suffix if args.masks else '')


def mask_of(args: Args, image: str) -> Path:
    """Return the path of a mask."""
    return args.masks / f'{image}{args.mask_suffix}'


def classes_of(args: Args, ids: Sequence[str]) -> Mapping[str, frozenset[int]]:
    """Read which classes are in the mask of each image."""
    paths = {image: mask_of(args, image) for image in ids}
    if absent := next((image for image, path in paths.items() if not path.is_file()), ''):
        raise FileNotFoundError(
            f'{paths[absent]}, the mask of {absent}, does not exist: check --masks and --mask-suffix. Where some '
            'images have no mask, name those that have one by --list, or use masked in place of generic.'
        )
    return own_data.read_masks(paths).classes


def warn_of_neighbors(args: Args, lists: Lists) -> None:
    """Print where a neighbor of a validation image, in another list, is nearly the same picture."""
    found = near_duplicates(lists, lambda image: args.images / f'{image}{args.img_suffix}')
    group = propose_group([image for images in lists.values() for image in images])
    if found.shared:
        what = f'{len(found.shared)} pairs of neighbors have a part of equal pixels, as tiles that overlap'
    elif found.pairs:
        what = f'{len(found.pairs)} of {found.looked_at} pairs of neighbors are nearly the same picture'
    elif group and not args.group:
        print(f'The names look like those of tiles: --group "{group}" keeps the tiles of a scene in one list.')
        return
    else:
        return
    one, other = (found.shared or found.pairs)[0]
    print(
        f'WARNING: {what}, such as {one} and {other}. Results are too good where one is learned from and the other '
        'validated on: keep tiles of a scene, frames of a video or slices of a volume together with '
        f'--group "{group or "REGEX"}".'
    )


def write(args: Args, files: Lists, data: Path) -> int:
    """Write lists into the folder of their name and name each; return 1 if one differs from what is published."""
    folder, status = args.out_dir / args.name, 0
    image_lists.write_lists(folder, files, data)
    print(f'{len(files)} lists in {folder}')
    wanted = {one.file: one for one in known_lists.known_lists().values() if one.dataset == args.name}
    alike: dict[str, list[str]] = {}
    for file in files:
        alike.setdefault(re.sub(r'^split\d+/', '', file), []).append(file)
    for name, same in alike.items():
        found = {file: known_lists.recognize(files[file]) for file in same}
        wrong = [file for file in same if file in wanted and found[file] != wanted[file]]
        known = found[same[0]]
        remark = f'differs: {wrong[0]} of {wanted[wrong[0]].count} images is published' if wrong else ''
        print(f'  {name:<24} {len(files[same[0]]):>6} images  {remark or (known.name if known else "")}'.rstrip())
        status = status or int(bool(wrong))
    if status:
        print('Results on lists that differ do not compare with published ones: check that the data set is whole.')
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return 1 if lists differ from the published ones, else 0."""
    top = parser_of(__doc__)
    commands = top.add_subparsers(required=True, metavar='COMMAND')

    def add(name: str, do: Callable[[Args], int], told: str | None, *parents: argparse.ArgumentParser) -> Any:
        command = commands.add_parser(name, help=told, description=told, parents=parents)
        command.set_defaults(run=do)
        return command

    for name, make in PUBLISHED.items():
        command = add(name, published, make.__doc__)
        command.add_argument('data_root', type=Path, help='the folder of the data set')
        command.add_argument('out_dir', type=Path, help='where to write, outside the data set')
        command.set_defaults(name=name)
    command = add('small', small, small.__doc__)
    command.add_argument('name', choices=published_splits.SMALL_COUNTS, help='which')
    command.add_argument('out_dir', type=Path, help='where to write')

    both = argparse.ArgumentParser(add_help=False)
    both.add_argument('name', help='name of the folder in OUT_DIR')
    both.add_argument('images', type=Path, help='the image folder, img_path of the config')
    both.add_argument('out_dir', type=Path, help='where to write, outside the image folder')
    both.add_argument('--img-suffix', default='.jpg', help='how image files end (default: .jpg)')
    both.add_argument(
        '--masks', type=Path, help='the mask folder; every list gets its share of images with rare classes'
    )
    both.add_argument('--mask-suffix', default='.png', help='how mask files end (default: .png)')
    both.add_argument('--val', type=float, metavar='S', help='hold 1/S of the images with masks out as val.txt')
    both.add_argument('--seed', type=int, default=0, help='seed of the shuffles (default: 0)')
    both.add_argument(
        '--group',
        metavar='REGEX',
        help='keep images together whose names match alike, or in the first (...): slices '
        'of a volume, frames of a video; such as "(.*)_[0-9]+$"',
    )
    command = add('masked', masked, masked.__doc__, both)
    command.add_argument('--val-list', type=Path, help='validate on the images of this list, in place of --val')
    command.add_argument('--labeled', type=int, metavar='N', help='use the masks of N other images only (default: all)')
    command.add_argument('--unlabeled', nargs='+', type=Path, default=(), metavar='DIR', help='more images, unlabeled')
    command = add('generic', generic, generic.__doc__, both)
    command.add_argument('--list', type=Path, help='split the images of this list only: names, paths, pairs with masks')
    size = command.add_mutually_exclusive_group()
    size.add_argument('--denominators', nargs='+', type=float, help='s of 1/s (default: 2 4 8)')
    size.add_argument('--labeled', nargs='+', type=int, metavar='N', help='label so many images, not a fraction')
    command.add_argument('--num-splits', type=int, default=3, help='number of split ids (default: 3)')

    command = add('import', import_, import_.__doc__)
    command.add_argument('lists', type=Path, nargs='+', metavar='LIST', help='pairs, paths or ids, one a line')
    command.add_argument('--dataset', choices=list_import.BENCHMARKS, required=True, help='whose images they name')
    command.add_argument('--data-root', type=Path, help='of the images (default: where the configs expect them)')
    command.add_argument('--out-dir', type=Path, default=Path('splits'), help='where to write (default: splits)')
    command.add_argument('--name', default='imported', help='folder of lists that are not known (default: imported)')
    args = top.parse_args(argv)
    return args.run(args)


if __name__ == '__main__':
    run(main)
