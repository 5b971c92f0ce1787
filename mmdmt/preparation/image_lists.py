"""Read and write lists of images, one a line, in the form of MMSegmentation's ``ann_file``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from mmdmt.atomic_write import atomic_write, room_to_write
from mmdmt.folders import list_images


def write_lists(folder: Path, files: Mapping[str, Sequence[str]], data: Path) -> None:
    """Write lists, by their paths in a folder, all or none: over no other list, and not among the data.

    Raises:
        ValueError: If ``folder`` lies in ``data``.
        FileExistsError: If a file exists with another content.
    """
    if folder.resolve().is_relative_to(data.resolve()):
        raise ValueError(f'{folder} lies in the data set {data}, which is not written to: choose a folder outside it.')
    contents = {folder / file: ''.join(f'{one}\n' for one in images).encode() for file, images in files.items()}
    others = [path for path, content in contents.items() if path.exists() and path.read_bytes() != content]
    if others:
        raise FileExistsError(
            f'{others[0]} exists with another content, as {len(others)} of the {len(contents)} lists do: '
            'remove them or choose another folder.'
        )
    for path, content in contents.items():
        if not path.exists():
            with room_to_write(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as unfinished:
                unfinished.write_bytes(content)


def read_list(path: Path) -> list[str]:
    """Read the images of a list file, or of the first column of a list of pairs.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it names no image, or is not text in UTF-8.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist as a file: give a text file with one image a line.')
    try:
        lines = [line.strip() for line in path.read_text(encoding='utf-8-sig').splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not text in UTF-8 ({error.reason}): save it anew in that encoding.') from error
    images = [_image_of_line(line) for line in lines if line]
    if not images:
        raise ValueError(f'{path} names no image: give a text file with one image a line.')
    return images


def ids_in_folder(folder: Path, img_suffix: str, mask_suffix: str = '') -> list[str]:
    """List the images of a folder and the folders in it, as MMSegmentation does without an ``ann_file``.

    Args:
        folder: The image folder.
        img_suffix: How the file names end. Hidden files and folders are passed over.
        mask_suffix: How masks end that may lie beside images and are left out. Default: ``''``.
    """
    images = list_images(folder, (img_suffix,), mask_suffix, any_case=False).images
    ids = [path.relative_to(folder).as_posix().removesuffix(img_suffix) for path in images]
    if not ids:
        raise FileNotFoundError(
            f'{folder} holds no file that ends in {img_suffix!r}: give the folder of the images and their suffix.'
        )
    return sorted(ids)


def left_out(folder: Path, img_suffix: str) -> list[str]:
    """List the images of a folder that another suffix keeps out of lists, such as ``.JPG`` beside ``.jpg``."""
    return sorted(
        path.relative_to(folder).as_posix() for path in list_images(folder).images if not path.name.endswith(img_suffix)
    )


def find_ids(list_file: Path, ids: Iterable[str], img_suffix: str) -> list[str]:
    """Find the images of a list in a data set: by their names, the ends of these, or paths on another machine.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the list is empty, or names an image that is not in the data set, or one that may be two.
    """
    known, ends = set(ids), dict[str, set[str]]()
    for one in known:
        parts = one.split('/')
        for start in range(len(parts)):
            ends.setdefault('/'.join(parts[start:]), set()).add(one)
    names_tell = len({one.rsplit('/', 1)[-1] for one in known}) == len(known)

    def find(image: str) -> str:
        bare = image.removesuffix(img_suffix), image.removesuffix(img_suffix.partition('.')[0])
        for path in (image, *bare, str(PurePosixPath(image).with_suffix(''))):
            parts = path.split('/')
            for start in range(len(parts)):
                end = '/'.join(parts[start:])
                found = ends.get(end, set()) if start == 0 or names_tell else set()
                if end in known or len(found) == 1:
                    return end if end in known else next(iter(found))
                if found:
                    one, other = sorted(found)[:2]
                    raise ValueError(f'{list_file} names {image!r}, which may be {one} or {other}: add the folder.')
        raise ValueError(
            f'{image!r} of the list {list_file} is missing from the {len(known)} images of the data set, such as '
            f'{min(known)!r} with the suffix {img_suffix!r}: check the image folder and the suffix.'
        )

    return list(map(find, read_list(list_file)))


def _image_of_line(line: str) -> str:
    if '\t' in line:
        return line.split('\t')[0].strip()
    columns = line.split()
    return columns[0] if len(columns) == 2 and all(PurePosixPath(column).suffix for column in columns) else line
