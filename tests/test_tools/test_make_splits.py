import random
import re
from pathlib import Path

import numpy as np
import pytest
from mmseg.datasets import CityscapesDataset
from PIL import Image
from toys.tools import load_tool

from mmdmt.preparation import known_lists, published_splits
from mmdmt.preparation.known_lists import KnownList


@pytest.fixture(scope='module')
def make_splits():
    return load_tool('make_splits.py')


@pytest.fixture
def voc(tmp_path):
    """VOC 2012 after MMSegmentation's converter, with 240 images."""
    root = tmp_path / 'VOCdevkit' / 'VOC2012'
    lists = root / 'ImageSets' / 'Segmentation'
    lists.mkdir(parents=True)
    ids = random.Random(0).sample([f'2008_{number:06d}' for number in range(240)], 240)
    (lists / 'trainaug.txt').write_text('\n'.join(ids) + '\n')
    (lists / 'train.txt').write_text('\n'.join(sorted(ids[:40])) + '\n')
    return root


@pytest.fixture
def cityscapes(tmp_path):
    root = tmp_path / 'cityscapes'
    for city, count in (('aachen', 30), ('ulm', 34)):
        folder = root / 'leftImg8bit' / 'train' / city
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f'{city}_{number:06d}_000019_leftImg8bit.png').touch()
    val = root / 'leftImg8bit/val/munster/munster_000000_000019_leftImg8bit.png'
    val.parent.mkdir(parents=True)
    val.touch()
    return root


def publish_as_it_is(monkeypatch, dataset, folder):
    """Take what has been written for what was published, but for 1/1 and 1/2, which nobody publishes."""
    table = {
        known_lists.digest(text.split()): KnownList(dataset, file, f'list {file}', len(text.split()))
        for file, text in contents(folder / dataset).items()
        if file.startswith('split') and '/dms' not in file and '1of1.' not in file and '1of2.' not in file
    }
    monkeypatch.setattr(known_lists, 'known_lists', lambda: table)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob('*.txt'))}


def report(capsys):
    """Return the remark of each line of the table."""
    lines = capsys.readouterr().out.splitlines()
    return {line[2:26].strip(): line[42:].strip() for line in lines if line.startswith('  ')}


def test_published_splits_of_voc_are_written_and_named(make_splits, voc, tmp_path, capsys, monkeypatch):
    arguments = ['voc12aug', str(voc), str(tmp_path / 'lists')]
    make_splits.main(arguments)
    publish_as_it_is(monkeypatch, 'voc12aug', tmp_path / 'lists')
    capsys.readouterr()
    assert make_splits.main(arguments) == 0
    told = report(capsys)
    assert told['labeled_1of8.txt'] == 'list split0/labeled_1of8.txt'
    assert {name for name, remark in told.items() if not remark} == {
        'labeled_1of1.txt', 'labeled_1of2.txt', 'unlabeled_1of2.txt', 'sbd/labeled.txt', 'sbd/unlabeled.txt',
        *(f'dms_{side}_1of{name}.txt' for side in ('left', 'right') for name in (8, 20, 50, 106)),
    }  # fmt: skip
    files = contents(tmp_path / 'lists' / 'voc12aug')
    assert len(files) == 3 * (13 + 8) + 2
    assert files['sbd/labeled.txt'] == (voc / 'ImageSets/Segmentation/train.txt').read_text()
    # The parts of peers depend on the lists before.
    names = [f'split{split_id}/{{}}_1of{name}.txt' for split_id in range(3) for name in (8, 20, 50, 106)]
    parts = published_splits.difference_maximized([files[name.format('labeled')].split() for name in names])
    for name, sides in zip(names, parts, strict=True):
        assert [files[name.format(f'dms_{side}')].split() for side in ('left', 'right')] == [*map(list, sides)]


def test_a_lacking_image_is_reported(make_splits, voc, tmp_path, capsys, monkeypatch):
    make_splits.main(['voc12aug', str(voc), str(tmp_path / 'whole')])
    publish_as_it_is(monkeypatch, 'voc12aug', tmp_path / 'whole')
    trainaug = voc / 'ImageSets/Segmentation/trainaug.txt'
    sbd = set(trainaug.read_text().split()) - set((voc / 'ImageSets/Segmentation/train.txt').read_text().split())
    ids = trainaug.read_text().replace(f'{min(sbd)}\n', '').split()
    trainaug.write_text(''.join(f'/JPEGImages/{name}.jpg /SegmentationClassAug/{name}.png\n' for name in ids))
    capsys.readouterr()
    assert make_splits.main(['voc12aug', str(voc), str(tmp_path / 'part')]) == 1
    remarks = report(capsys)
    assert remarks['labeled_1of4.txt'] == 'differs: split0/labeled_1of4.txt of 60 images is published'
    assert remarks['labeled_1of106.txt'] == 'differs: split0/labeled_1of106.txt of 2 images is published'
    assert remarks['labeled_1of2.txt'] == ''


def test_lists_of_cityscapes_are_read_by_mmsegmentation(make_splits, cityscapes, tmp_path, capsys):
    assert make_splits.main(['cityscapes', str(cityscapes), str(tmp_path / 'lists')]) == 1
    assert report(capsys)['labeled_1of30.txt'].startswith('differs: ')
    dataset = CityscapesDataset(
        data_root=str(cityscapes),
        ann_file=str(tmp_path / 'lists/cityscapes/split0/labeled_1of8.txt'),
        data_prefix={'img_path': 'leftImg8bit/train', 'seg_map_path': 'gtFine/train'},
    )
    assert len(dataset) == 8
    assert all(Path(dataset.get_data_info(number)['img_path']).is_file() for number in range(8))


@pytest.fixture
def own(tmp_path):
    """A folder of 40 images; two of the masks hold a rare class, and borders are ignored."""
    for folder in ('images', 'masks'):
        (tmp_path / 'own' / folder).mkdir(parents=True)
    for number in range(40):
        (tmp_path / 'own' / 'images' / f'{number:02d}.jpg').touch()
        mask = np.array([[0, 1, 255], [0, 7 if number in (11, 30) else 1, 255]], np.uint8)
        Image.fromarray(mask).save(tmp_path / 'own' / 'masks' / f'{number:02d}.png')
    return tmp_path / 'own'


def test_own_images_are_split_by_class(make_splits, own, tmp_path):
    arguments = ['generic', 'polyps', str(own / 'images'), str(tmp_path), '--denominators', '20', '2.5', '--seed', '3']
    make_splits.main([*arguments, '--num-splits', '2', '--masks', str(own / 'masks')])
    files = contents(tmp_path / 'polyps')
    parts = {'labeled_1of20': 2, 'unlabeled_1of20': 38, 'labeled_1of2.5': 16, 'unlabeled_1of2.5': 24}
    sizes = {**parts, 'dms_left_1of20': 1, 'dms_right_1of20': 1}
    assert {file: len(text.split()) for file, text in files.items()} == {
        f'split{split_id}/{name}.txt': size for split_id in (0, 1) for name, size in sizes.items()
    }
    for split_id in (0, 1):
        assert len({'11', '30'} & set(files[f'split{split_id}/labeled_1of20.txt'].split())) == 1


def test_masks_of_colors_and_missing_ones_are_named(make_splits, own, tmp_path):
    arguments = ['generic', 'polyps', str(own / 'images'), str(tmp_path), '--masks', str(own / 'masks')]
    Image.new('RGB', (4, 4)).save(own / 'masks' / '07.png')
    with pytest.raises(ValueError, match=r'07\.png is an image of mode RGB, but a mask has one channel'):
        make_splits.main(arguments)
    (own / 'masks' / '07.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'07\.png, the mask of 07, does not exist: .* by --list, or use'):
        make_splits.main(arguments)


def test_images_are_listed_by_whether_they_have_a_mask(make_splits, own, tmp_path):
    for number in range(15, 40):
        (own / 'masks' / f'{number:02d}.png').unlink()
    arguments = ['masked', 'own', str(own / 'images'), str(tmp_path), '--masks', str(own / 'masks'), '--val', '5']
    make_splits.main(arguments)
    lists = {file: text.split() for file, text in contents(own).items()}
    assert {file: len(images) for file, images in lists.items()} == {
        'labeled.txt': 12,
        'unlabeled.txt': 25,
        'val.txt': 3,
    }
    assert lists['unlabeled.txt'] == [f'{number:02d}' for number in range(15, 40)]
    assert sorted(lists['labeled.txt'] + lists['val.txt']) == [f'{number:02d}' for number in range(15)]
    # Of a class that one image has, that image comes first.
    assert '11' in lists['val.txt']
    make_splits.main(arguments)
    assert {file: text.split() for file, text in contents(own).items()} == lists


def test_with_all_masks_there_is_no_unlabeled_list_and_with_none_no_list(make_splits, own, tmp_path, capsys):
    arguments = ['masked', 'lists', str(own / 'images'), str(tmp_path), '--masks']
    make_splits.main([*arguments, str(own / 'masks'), '--val', '4'])
    files = contents(tmp_path / 'lists')
    assert {file: len(text.split()) for file, text in files.items()} == {'labeled.txt': 30, 'val.txt': 10}
    assert (
        'Every image has a mask: give other images by --unlabeled, or hide masks with --labeled N'
        in capsys.readouterr().out
    )
    with pytest.raises(ValueError, match=r'None of the 40 images in .* has a mask, such as .*00\.png'):
        make_splits.main([*arguments, str(own)])


def test_an_own_validation_list_some_labels_and_another_folder(make_splits, own, tmp_path):
    (own / 'val.txt').write_text('images/01.jpg masks/01.png\nimages/11.jpg masks/11.png\n')
    (own / 'masks' / '39.png').unlink()
    (own / 'more').mkdir()
    (own / 'more' / 'x.jpg').touch()
    arguments = ['masked', 'mine', str(own / 'images'), str(tmp_path), '--masks', str(own / 'masks')]
    more = ['--val-list', str(own / 'val.txt'), '--labeled', '6', '--unlabeled', str(own / 'more')]
    make_splits.main([*arguments, *more])
    lists = {file: text.split() for file, text in contents(tmp_path / 'mine').items()}
    assert {file: len(images) for file, images in lists.items()} == {
        'labeled.txt': 6,
        'unlabeled.txt': 33,
        'val.txt': 2,
    }
    assert lists['val.txt'] == ['01', '11']
    assert '30' in lists['labeled.txt']  # the only one of its class that is left
    for image in lists['unlabeled.txt']:
        assert (own / 'images' / f'{image}.jpg').is_file()
    assert {'39', '../more/x'} < {*lists['unlabeled.txt']}


def test_of_a_list_a_validation_list_is_held_out_of_every_split(make_splits, own, tmp_path):
    (tmp_path / 'train.txt').write_text(''.join(f'images/{n:02d}.jpg masks/{n:02d}.png\n' for n in range(30)))
    arguments = ['generic', 'polyps', str(own / 'images'), str(tmp_path), '--denominators', '8', '2']
    more = ['--list', str(tmp_path / 'train.txt'), '--masks', str(own / 'masks'), '--val', '5']
    make_splits.main([*arguments, *more])
    files = {file: text.split() for file, text in contents(tmp_path / 'polyps').items()}
    val = files.pop('val.txt')
    assert len(val) == 6
    for split_id in range(3):
        for name in ('8', '2'):
            images = [
                image for part in ('labeled', 'unlabeled') for image in files[f'split{split_id}/{part}_1of{name}.txt']
            ]
            assert sorted(images + val) == [f'{number:02d}' for number in range(30)]


def test_lists_of_other_papers_are_taken_over(make_splits, cityscapes, tmp_path, capsys):
    images = ['ulm/ulm_000001_000019', 'aachen/aachen_000000_000019']
    (tmp_path / 'labeled.txt').write_text(''.join(f'leftImg8bit/train/{name}_leftImg8bit.png\r\n' for name in images))
    arguments = ['import', str(tmp_path / 'labeled.txt'), '--dataset', 'cityscapes', '--out-dir', str(tmp_path / 'out')]
    assert make_splits.main([*arguments, '--data-root', str(cityscapes)]) == 0
    written = contents(tmp_path / 'out' / 'cityscapes' / 'imported')
    assert written['labeled.txt'].split() == images
    assert len(written['unlabeled.txt'].split()) == 62
    told = capsys.readouterr().out
    assert 'labeled.txt: 2 images, no list that is known, taken as labeled; in' in told
    assert 'the images left: 62 images' in told


def test_without_the_data_set_lists_are_taken_over_unchecked(make_splits, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('92.txt').write_text('2007_000032\n2007_000039\n2007_000032\n')
    make_splits.main(['import', '92.txt', '--dataset', 'voc', '--name', 'mine'])
    assert contents(tmp_path / 'splits') == {'voc12aug/mine/92.txt': '2007_000032\n2007_000039\n'}
    told = capsys.readouterr().out
    assert 'data/VOCdevkit/VOC2012 does not exist, so the images are not looked up' in told


@pytest.fixture
def videos(tmp_path):
    """Eight videos of six frames, each frame nearly the one before; masks of the first four."""
    generator = np.random.default_rng(0)
    for folder in ('images', 'masks'):
        (tmp_path / 'videos' / folder).mkdir(parents=True)
    for video in range(8):
        frame = generator.integers(0, 255, (40, 50, 3)).astype(np.uint8)
        for number in range(6):
            name = f'v{video}_{number:04d}.png'
            noise = generator.integers(0, 6, frame.shape)
            Image.fromarray(np.clip(frame + noise, 0, 255).astype(np.uint8)).save(tmp_path / 'videos/images' / name)
            if video < 4 and number < 5:
                Image.fromarray((frame[..., 0] > 100).astype(np.uint8)).save(tmp_path / 'videos/masks' / name)
    return tmp_path / 'videos'


def test_neighbors_that_look_alike_in_different_lists_are_told(make_splits, videos, tmp_path, capsys):
    arguments = ['generic', 'all', str(videos / 'images'), '--img-suffix', '.png', '--labeled', '12', '--val', '4']
    make_splits.main([*arguments, str(tmp_path / 'shuffled')])
    told = capsys.readouterr().out
    assert re.search(r'pairs of neighbors are nearly the same picture, such as v\d_000.* --group "REGEX"', told)
    make_splits.main([*arguments, str(tmp_path / 'grouped'), '--group', '(.*)_'])
    assert 'WARNING' not in capsys.readouterr().out
    files = contents(tmp_path / 'grouped' / 'all')
    lists = [files[name].split() for name in ('val.txt', 'split0/labeled_12.txt', 'split0/unlabeled_12.txt')]
    assert [len(images) for images in lists] == [12, 12, 24]
    assert sum(len({image[:2] for image in images}) for images in lists) == 8


def test_frames_of_a_validation_video_are_not_learned_from(make_splits, videos, tmp_path, capsys):
    options = ['--masks', str(videos / 'masks'), '--img-suffix', '.png', '--val', '4', '--group', '(.*)_']
    make_splits.main(['masked', 'all', str(videos / 'images'), str(tmp_path), *options])
    lists = {name: text.split() for name, text in contents(tmp_path / 'all').items()}
    assert {name: len(images) for name, images in lists.items()} == {
        'val.txt': 5,
        'labeled.txt': 15,
        'unlabeled.txt': 27,
    }
    (held,) = {image[:2] for image in lists['val.txt']}
    assert not any(image.startswith(held) for name in ('labeled.txt', 'unlabeled.txt') for image in lists[name])
    assert '1 images are left out: the groups that they are of are in val.txt' in capsys.readouterr().out


def test_images_that_another_suffix_keeps_out_of_the_lists_are_told(make_splits, tmp_path, capsys):
    (tmp_path / 'images').mkdir()
    for number in range(10):
        suffix = 'JPG' if number % 2 else 'jpg'
        Image.new('RGB', (8, 8)).save(tmp_path / 'images' / f'{number}.{suffix}', format='JPEG')
    make_splits.main(['generic', 'mine', str(tmp_path / 'images'), str(tmp_path / 'lists'), '--denominators', '2'])
    said = capsys.readouterr().out
    assert 'WARNING: 5 images of' in said
    assert "do not end in '.jpg' and are in no list, such as 1.JPG" in said
