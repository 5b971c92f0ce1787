"""Write lists of labeled and unlabeled images, made from a data set that is on this machine.

    python tools/make_splits.py voc12aug data/VOCdevkit/VOC2012 splits
    python tools/make_splits.py cityscapes data/cityscapes splits
    python tools/make_splits.py camvid data/camvid_240x180 splits
    python tools/make_splits.py small voc_animals splits
    python tools/make_splits.py masked mine data/mine/images data --masks data/mine/masks --val 5
    python tools/make_splits.py masked mine data/mine/images data --masks data/mine/masks \
      --val-list val.txt --labeled 60 --unlabeled data/more
    python tools/make_splits.py generic polyps data/kvasir/images splits --img-suffix .jpg --denominators 4 8
    python tools/make_splits.py convert data/VOCdevkit/VOC2012/JPEGImages labeled.txt splits/other/labeled.txt
    python tools/make_splits.py import UniMatch/splits/pascal/92/labeled.txt --dataset voc

The first two make the published splits, and say for each fraction whether its lists match the published ones. The third
makes those of our tables of CamVid, of 10, 30 and 92 labels, and says the same of them. The fourth needs no data: it
writes the names of our tables of VOC animals (or kvasir). `masked` lists images by whether they have a mask; its second
form takes a validation list of your own, labels 60 of the other masks, and leaves the rest and the images of another
folder unlabeled. `generic` hides masks of a folder that has all of them. `import` takes over lists of UniMatch, U2PL
and those that use theirs, and says which list each is.

Every list is an `ann_file` of MMSegmentation:
    OUT_DIR/NAME/split0/labeled_1of8.txt, unlabeled_1of8.txt    split ids 0, 1, 2; within one, 1/8 is part of 1/4
    OUT_DIR/NAME/split0/labeled_30.txt, unlabeled_30.txt        with --labeled 30
    OUT_DIR/NAME/split0/dms_left_1of8.txt, dms_right_1of8.txt   the part of each of two peers, for a warm-up with
                                                                difference-maximized sampling (1/8 and less)
    OUT_DIR/voc12aug/sbd/labeled.txt, unlabeled.txt             VOC's own images labeled, those of SBD not
    OUT_DIR/camvid/day2dusk/day.txt, dusk.txt, dusk_val.txt     from two drives by day to one at dusk
    OUT_DIR/cityscapes/val.txt                                  all images of leftImg8bit/val
    OUT_DIR/NAME/val.txt                                        1/S of the images with masks, if --val S is given
    OUT_DIR/NAME/labeled.txt, unlabeled.txt                     of masked

A file that exists is never written over, nor anything into the data set. The exit status is 1 if lists were written
that differ from the published ones.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from mmdmt.command_line import parser_of, run
from mmdmt.preparation import image_lists, list_import, published_splits, splits, table_lists
from mmdmt.preparation.near_duplicates import near_duplicates, propose_group

# The fractions that are small enough for peers to be warmed up on parts of the labeled set.
DMS_DENOMINATOR = 8
SBD_SIZES = (1464, 9118)
PARTS = ('labeled', 'unlabeled')
Args = argparse.Namespace
Lists = Mapping[str, Sequence[str]]


def voc12aug(args: Args) -> int:
    """Make the published splits of VOC 2012 with the masks of SBD."""
    files = [args.data_root / 'ImageSets' / 'Segmentation' / name for name in ('train.txt', 'trainaug.txt')]
    for path in files:
        list_import.check_voc(path)
    # Some copies of the lists hold paths. An id of VOC has no dot in it.
    train, trainaug = ([PurePosixPath(image).stem for image in image_lists.read_list(path)] for path in files)
    sbd = published_splits.sbd_lists(train, trainaug)
    sizes = tuple(map(len, sbd))
    remark = 'as many as published' if sizes == SBD_SIZES else 'differs: {} and {} are published'.format(*SBD_SIZES)
    differs = publish(args, trainaug, {f'sbd/{part}.txt': images for part, images in sbd._asdict().items()})
    print(row('sbd', sbd, PARTS, remark))
    return verdict(args, differs or sizes != SBD_SIZES)


def cityscapes(args: Args) -> int:
    """Make the published splits of Cityscapes."""
    folder = args.data_root / 'leftImg8bit' / 'train'
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder} does not exist: give the folder that holds leftImg8bit and gtFine.')
    val = folder.with_name('val')
    more = {'val.txt': image_lists.ids_in_folder(val, '_leftImg8bit.png')} if val.is_dir() else {}
    return verdict(args, publish(args, image_lists.ids_in_folder(folder, '_leftImg8bit.png'), more))


def camvid(args: Args) -> int:
    """Make the lists of our table of CamVid."""
    folder = args.data_root / 'train'
    if not folder.is_dir():
        raise FileNotFoundError(
            f'{folder} does not exist: give the folder that tools/dataset_converters/camvid.py writes.'
        )
    ids = image_lists.ids_in_folder(folder, '.png')
    files = table_lists.camvid_lists(ids)
    write(args, ids, files, args.data_root)
    published = published_splits.published_lists(args.name)
    wrong = published_splits.differences(files, published)
    for count in table_lists.CAMVID_COUNTS:
        lists = [file for file in published if file.endswith(f'_{count}.txt')]
        parts = [files[f'split0/{part}_{count}.txt'] for part in PARTS]
        print(row(f'{count} labels', parts, PARTS, comparison(lists, wrong)))
    shift = [files[f'day2dusk/{part}.txt'] for part in ('day', 'dusk')]
    print(row('day2dusk', shift, PARTS, comparison([one for one in published if one.startswith('day2dusk')], wrong)))
    return verdict(args, bool(wrong))


def small(args: Args) -> int:
    """Write the lists of our tables of small images, which the package holds."""
    files = table_lists.small_lists(args.name)
    image_lists.write_lists(args.out_dir / args.name, files, Path('data'))
    print(f'{len(files)} lists in {args.out_dir / args.name}')
    return 0


def publish(args: Args, ids: Sequence[str], more: Lists) -> bool:
    """Write the published splits of a data set and more lists beside them; return whether any differs."""
    made = published_splits.published_splits(ids, published_splits.PUBLISHED_DENOMINATORS[args.name])
    files, parts = splits.as_files(made), dms(made, published_splits.PUBLISHED_SEED)
    write(args, ids, {**files, **parts, **more}, args.data_root)
    published = published_splits.published_lists(args.name)
    wrong = published_splits.differences(files, published)
    for name, split in first_split(made):
        lists = [file for file in published if file.endswith(f'_1of{name}.txt')]
        print(row(f'1of{name}', split, PARTS, comparison(lists, wrong)))
    for name, _ in first_split(made):
        if f'split0/dms_left_1of{name}.txt' in parts:
            sides = [parts[f'split0/dms_{side}_1of{name}.txt'] for side in ('left', 'right')]
            print(row(f'dms 1of{name}', sides, ('left', 'right'), comparison([], wrong)))
    return bool(wrong)


def comparison(published: Sequence[str], wrong: Mapping[str, str]) -> str:
    """Return in words whether the published lists of a fraction are matched, and the first difference."""
    differing = [file for file in published if file in wrong]
    if differing:
        first = f'{differing[0]} has {wrong[differing[0]]}'
        return f'differs: {first} ({len(differing)} of {len(published)} lists differ)'
    return 'matches the published split' if published else 'no published list to compare with'


def verdict(args: Args, differs: bool) -> int:
    """Print what it means if lists differ, and return the exit status."""
    if differs:
        print(
            'Results on lists that differ do not compare with published ones. '
            f'Check that {args.data_root} holds the whole training set and nothing else.'
        )
    return int(differs)


def generic(args: Args) -> int:
    """Split the images of any folder, or those of them that a list names."""
    ids = images_of(args)
    if args.list:
        ids = image_lists.find_ids(image_lists.read_list(args.list), ids, args.img_suffix)
    groups = splits.group_of(ids, args.group) if args.group else None
    strata = strata_of(args, ids, groups) if args.masks else None
    val, rest = held_out(args, ids, strata, groups)
    if args.labeled:
        sizes, before = {str(size): size for size in args.labeled}, ''
        made = splits.sized_split(rest, sizes, args.seed, args.num_splits, strata, groups)
    else:
        denominators, before = {f'{one:g}': one for one in args.denominators or (2, 4, 8)}, '1of'
        made = splits.generic_split(rest, denominators, args.seed, args.num_splits, strata, groups)
    write(args, ids, {**splits.as_files(made, before), **dms(made, args.seed, before), **val}, args.images)
    for name, images in val.items():
        print(row(name, [images], ('to validate on',), ''))
    for name, split in first_split(made):
        print(row(f'{before}{name}', split, PARTS, ''))
    _, smallest = min(first_split(made), key=lambda one: len(one[1].labeled))
    warn_of_neighbors(args, {**val, **smallest._asdict()})
    return 0


def masked(args: Args) -> int:
    """List the images of a folder that have a mask, and those that have none."""
    ids = images_of(args)
    others = image_lists.left_out(args.masks, args.mask_suffix)
    others = [name for name in others if name.lower().endswith(args.mask_suffix.lower())]
    if others:
        print(
            f'WARNING: {len(others)} files of {args.masks} do not end in {args.mask_suffix!r} and are not taken for '
            f'masks, such as {others[0]}: rename them if they are.'
        )
    with_mask = [image for image in ids if (args.masks / f'{image}{args.mask_suffix}').is_file()]
    if not with_mask:
        raise ValueError(
            f'None of the {len(ids)} images in {args.images} has a mask, such as '
            f'{args.masks / f"{ids[0]}{args.mask_suffix}"}: check --masks and the suffixes.'
        )
    groups = splits.group_of(ids, args.group) if args.group else None
    strata = strata_of(args, with_mask, groups)
    if args.val_list:
        named = image_lists.find_ids(image_lists.read_list(args.val_list), with_mask, args.img_suffix)
        val, labeled = {'val.txt': sorted(named)}, sorted(set(with_mask) - set(named))
    else:
        val, labeled = held_out(args, with_mask, strata, groups)
    without = sorted(set(ids) - set(with_mask))
    if args.labeled:
        made = splits.sized_split(labeled, {'drawn': args.labeled}, args.seed, 1, strata, groups)[0, 'drawn']
        labeled, without = sorted(made.labeled), sorted([*without, *made.unlabeled])
    if groups:
        held = {groups[image] for images in val.values() for image in images}
        left_out = [image for image in without if groups[image] in held]
        without = [image for image in without if groups[image] not in held]
        if left_out:
            print(f'{len(left_out)} images without a mask are left out: the groups that they are of are in val.txt.')
    for folder in args.unlabeled:  # a name may lead to another folder
        there = os.path.relpath(folder, args.images)
        without += [f'{there}/{image}' for image in image_lists.ids_in_folder(folder, args.img_suffix)]
    lists = {'labeled.txt': labeled, **({'unlabeled.txt': without} if without else {}), **val}
    write(args, ids, lists, args.images)
    for name, images in lists.items():
        print(row(name, [images], ('images',), ''))
    if not without:
        print('Every image has a mask: give other images by --unlabeled, or hide masks with --labeled N.')
    warn_of_neighbors(args, lists)
    return 0


def images_of(args: Args) -> list[str]:
    """List the images of a folder, and say which end otherwise."""
    others = image_lists.left_out(args.images, args.img_suffix)
    if others:
        print(
            f'WARNING: {len(others)} images of {args.images} do not end in {args.img_suffix!r} and are in no list, '
            f'such as {others[0]}: a dataset has one img_suffix (.JPG is not .jpg), so rename or convert them first.'
        )
    return image_lists.ids_in_folder(args.images, args.img_suffix, args.mask_suffix if args.masks else '')


def strata_of(args: Args, ids: Sequence[str], groups: Mapping[str, str] | None) -> dict[str, int]:
    """Read the masks and give each image, or each group, its rarest class."""
    classes: dict[str, set[int]] = {}
    for image in ids:
        path = args.masks / f'{image}{args.mask_suffix}'
        if not path.is_file():
            raise FileNotFoundError(
                f'{path}, the mask of {image}, does not exist: check --masks and --mask-suffix. Where some images have '
                'no mask, name those that have one by --list, or use masked in place of generic.'
            )
        mask = np.asarray(Image.open(path))
        if mask.ndim != 2:
            raise ValueError(
                f'{path} has {mask.shape[-1]} channels, but a mask has one, of class ids: convert the masks.'
            )
        found = {int(label) for label in np.unique(mask) if label != args.ignore_index}
        classes.setdefault(groups[image] if groups else image, set()).update(found)
    return splits.rarest_class(classes)


def held_out(
    args: Args, ids: Sequence[str], strata: Mapping[str, int] | None, groups: Mapping[str, str] | None
) -> tuple[Lists, Sequence[str]]:
    """Take the validation list off some images, if there shall be one."""
    if args.val is None:
        return {}, ids
    if not 1 < args.val <= len(ids):
        raise ValueError(
            f'--val {args.val:g} holds 1/{args.val:g} of {len(ids)} images with masks out: give more than 1 and at '
            f'most {len(ids)}.'
        )
    split = splits.generic_split(ids, {'val': args.val}, args.seed, 1, strata, groups)[0, 'val']
    if not split.unlabeled:
        raise ValueError(f'--val {args.val:g} holds all images with masks out, as their groups are large: give more.')
    return {'val.txt': sorted(split.labeled)}, sorted(split.unlabeled)


def warn_of_neighbors(args: Args, lists: Lists) -> None:
    """Print where neighbors in different lists are nearly the same picture."""
    found = near_duplicates(lists, lambda image: args.images / f'{image}{args.img_suffix}')
    proposed = propose_group([image for images in lists.values() for image in images]) or 'REGEX'
    of = {image: name.removesuffix('.txt') for name, images in lists.items() for image in images}
    if found.shared:
        one, other = found.shared[0]
        print(
            f'WARNING: {len(found.shared)} pairs of neighbors in different lists have a part of equal pixels, such as '
            f'{one} and {other}: tiles of one scene that overlap. Results are too good where they are both learned '
            f'from and validated on: keep those of a scene together with --group "{proposed}".'
        )
        return
    if proposed != 'REGEX' and not args.group:
        print(f'The names look like those of tiles: --group "{proposed}" keeps the tiles of a scene in one list.')
    if not found.pairs:
        return
    judged = [pair for pair in found.pairs if 'val' in (of[pair[0]], of[pair[1]])]
    one, other = (judged or found.pairs)[0]
    meaning = (
        'Results are too good where one is learned from and the other validated on. Frames of a video or slices of a '
        'volume: keep them together with --group REGEX.'
        if judged
        else 'Unlabeled images that repeat labeled ones teach little; choose labeled images that differ more with '
        '--group REGEX.'
    )
    print(
        f'WARNING: {len(found.pairs)} of {found.looked_at} pairs of neighbors in different lists are nearly the same '
        f'picture, such as {one} ({of[one]}) and {other} ({of[other]}). {meaning}'
    )


def convert(args: Args) -> int:
    """Rewrite a list of another paper as a list of this data set."""
    ids = image_lists.ids_in_folder(args.images, args.img_suffix)
    found = image_lists.find_ids(image_lists.read_list(args.list), ids, args.img_suffix)
    image_lists.write_lists(args.out_file.parent, {args.out_file.name: found}, args.images)
    print(f'{len(found)} images, {found[0]} to {found[-1]}, in {args.out_file}')
    return 0


def import_(args: Args) -> int:
    """Take over lists of other papers, in any of their forms, and say which they are."""
    benchmark = list_import.BENCHMARKS[args.dataset]
    data_root, stock = args.data_root or benchmark.data_root, None
    if args.data_root or data_root.is_dir():
        stock = list_import.read_stock(args.dataset, data_root)
    lists = list_import.import_lists(args.lists, args.dataset, stock, args.name)
    folder = args.out_dir / benchmark.name
    image_lists.write_lists(folder, {one.file: one.images for one in lists}, data_root)
    for one in lists:
        known = one.known.name if one.known else f'no list that is known, taken as {one.part}'
        print(f'{one.source or "the images left"}: {len(one.images)} images, {known}; in {folder / one.file}')
        if one.repeated:
            print(f'  {len(one.repeated)} of them are named more than once: {", ".join(one.repeated[:5])}; kept once')
    if stock is None:
        print(
            f'{data_root} does not exist, so the images were not looked up, and no list was made of those that are '
            'left: give --data-root.'
        )
    return 0


def dms(made: Mapping[tuple[int, str], splits.Split], seed: int, before: str = '1of') -> Lists:
    """Name the two parts of every labeled set that is small enough."""
    few = {
        key: split.labeled
        for key, split in made.items()
        if len(split.labeled) > 1 and DMS_DENOMINATOR * len(split.labeled) <= len(split.labeled) + len(split.unlabeled)
    }
    return {
        f'split{split_id}/dms_{side}_{before}{name}.txt': images
        for (split_id, name), parts in zip(few, published_splits.difference_maximized(few.values(), seed), strict=True)
        for side, images in zip(('left', 'right'), parts, strict=True)
    }


def write(args: Args, ids: Sequence[str], files: Lists, data: Path) -> None:
    """Write lists into the folder of their name, and say so."""
    folder = args.out_dir / args.name
    image_lists.write_lists(folder, files, data)
    print(f'{len(ids)} images of {args.name}; {len(files)} lists in {folder}')


def first_split(made: Mapping[tuple[int, str], splits.Split]) -> Iterator[tuple[str, splits.Split]]:
    """Go through the fractions; the sizes are the same for every split id."""
    return ((name, split) for (split_id, name), split in made.items() if split_id == 0)


def row(name: str, parts: Sequence[Sequence[str]], kinds: Sequence[str], remark: str) -> str:
    """Lay out a line of the table."""
    sizes = ', '.join(f'{len(images):>5} {kind}' for images, kind in zip(parts, kinds, strict=True))
    return f'  {name:<10} {sizes:<32} {remark}'.rstrip()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return 1 if lists differ from the published ones, else 0."""
    top = parser_of(__doc__)
    commands = top.add_subparsers(required=True, metavar='COMMAND')

    def add(name: str, do: object, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=parents, help=do.__doc__, description=do.__doc__)
        command.set_defaults(run=do)
        return command

    for do, root in (
        (voc12aug, 'the folder VOCdevkit/VOC2012'),
        (cityscapes, 'the folder that holds leftImg8bit'),
        (camvid, 'the folder that tools/dataset_converters/camvid.py writes'),
    ):
        command = add(do.__name__, do)
        command.add_argument('data_root', type=Path, help=root)
        command.add_argument('out_dir', type=Path, help='where to write, outside the data set')
        command.set_defaults(name=do.__name__)
    command = add('small', small)
    command.add_argument('name', choices=table_lists.SMALL_COUNTS, help='which')
    command.add_argument('out_dir', type=Path, help='where to write')

    images = argparse.ArgumentParser(add_help=False)
    images.add_argument('--img-suffix', default='.jpg', help='how image files end (default: .jpg)')
    folder = argparse.ArgumentParser(add_help=False, parents=[images])
    folder.add_argument('name', help='name of the folder in OUT_DIR')
    folder.add_argument('images', type=Path, help='the image folder, img_path of the config')
    folder.add_argument('out_dir', type=Path, help='where to write, outside the image folder')
    folder.add_argument('--val', type=float, metavar='S', help='hold 1/S of the images with masks out as val.txt')
    folder.add_argument('--seed', type=int, default=0, help='seed of the shuffles (default: 0)')
    folder.add_argument('--mask-suffix', default='.png', help='how mask files end (default: .png)')
    folder.add_argument('--ignore-index', type=int, default=255, help='label of what has no class (default: 255)')
    folder.add_argument(
        '--group',
        metavar='REGEX',
        help='keep images together whose names have the same match, or first (...): slices of a volume, frames of a '
        'video; such as "(.*)_[0-9]+$"',
    )
    command = add('masked', masked, folder)
    command.add_argument('--masks', type=Path, required=True, help='folder of the masks that there are')
    command.add_argument('--val-list', type=Path, help='validate on the images of this list, in place of --val')
    command.add_argument('--labeled', type=int, metavar='N', help='use the masks of N other images only (default: all)')
    command.add_argument('--unlabeled', nargs='+', type=Path, default=(), metavar='DIR', help='more images, unlabeled')

    command = add('generic', generic, folder)
    command.add_argument('--list', type=Path, help='split the images of this list only; formats as for convert')
    size = command.add_mutually_exclusive_group()
    size.add_argument('--denominators', nargs='+', type=float, help='s of 1/s (default: 2 4 8)')
    size.add_argument('--labeled', nargs='+', type=int, metavar='N', help='label so many images, not a fraction')
    command.add_argument('--num-splits', type=int, default=3, help='number of split ids (default: 3)')
    command.add_argument(
        '--masks',
        type=Path,
        help='folder of the masks of all images: spread the classes evenly, each image counting for the rarest in it',
    )

    command = add('convert', convert, images)
    command.add_argument('images', type=Path, help='the image folder, img_path of the config')
    command.add_argument('list', type=Path, help='a name or path, or a pair of image and mask, on each line')
    command.add_argument('out_file', type=Path, help='the list to write, outside the image folder')

    command = add('import', import_)
    command.add_argument('lists', type=Path, nargs='+', metavar='LIST', help='pairs, paths or ids, one a line')
    command.add_argument('--dataset', choices=list_import.BENCHMARKS, required=True, help='whose images they name')
    command.add_argument('--data-root', type=Path, help='of the images (default: where the configs expect them)')
    command.add_argument('--out-dir', type=Path, default=Path('splits'), help='where to write (default: splits)')
    command.add_argument('--name', default='imported', help='folder of lists that are not known (default: imported)')
    args = top.parse_args(argv)
    return args.run(args)


if __name__ == '__main__':
    run(main)
