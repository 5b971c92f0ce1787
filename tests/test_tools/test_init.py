"""From a folder to a running training in two commands."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toys.forked import python
from toys.tools import run_tool

from mmdmt.preparation import own_data

ROOT = Path(__file__).parents[2]
SHORT = [
    'custom_hooks.0.warm_up=1', 'custom_hooks.0.iters=1', 'custom_hooks.0.ratios=[0.5]', 'custom_hooks.0.labeled=1',
    'custom_hooks.0.pseudo=1', 'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
    'val_dataloader.persistent_workers=False',
]  # fmt: skip


def write(folder, names, classes, masks=None, suffix='.png', size=(48, 40)):
    """Write images, and masks in which every class is a stripe."""
    generator = np.random.default_rng(len(names))
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (*size[::-1], 3), np.uint8)).save(folder / f'{name}{suffix}')
        if masks is not None:
            (masks / name).parent.mkdir(parents=True, exist_ok=True)
            stripes = np.arange(size[1])[:, None] * classes // size[1] + np.zeros(size[0], int)
            Image.fromarray(stripes.astype(np.uint8)).save(masks / f'{name}.png')


def own_val(data):
    """Seven classes, images/train beside masks/train, own validation images, two that have no mask."""
    for part, count in (('train', 6), ('val', 2)):
        write(data / 'images', [f'{part}/{number}' for number in range(count)], 7, data / 'masks', '.jpg')
    write(data / 'images' / 'train', ['x', 'y'], 7, suffix='.jpg')
    return []


def few_labels(data):
    """Two classes, all with masks, of which 4 are used; and another folder without masks."""
    write(data / 'imgs', [str(number) for number in range(10)], 2, data / 'annotations')
    write(data.parent / 'more', ['z'], 2, suffix='.jpg')
    return ['--labeled', '4', '--unlabeled', '../more', '--classes', 'ground', 'roof']


def as_segnet_has_it(data):
    """Folders side by side; what is tested is left out."""
    for part in ('train', 'val', 'test'):
        write(data / part, [f'{part}_{number}' for number in range(3)], 2, data / f'{part}annot')
    return []


def test_folders_side_by_side_are_told_apart(tmp_path):
    as_segnet_has_it(tmp_path)
    train, val = own_data.find_pairs(tmp_path)
    for name, found in (('train', train), ('val', val)):
        names = tuple(f'{name}_{number}' for number in range(3))
        assert (found.folder.name, found.masks.name, found.names) == (name, f'{name}annot', names)


@pytest.mark.parametrize('colored', ['colored', 'a_labels'])
def test_masks_in_color_are_neither_images_nor_masks(tmp_path, colored):
    """Whatever they are called: they have the names of the images, but few colors and three channels."""
    write(tmp_path / 'images', ['a', 'b', 'c'], 2)
    write(tmp_path / 'x', ['a', 'b'], 2, tmp_path / 'masks')
    shutil.rmtree(tmp_path / 'x')
    for path in (tmp_path / 'masks').iterdir():
        mask = np.asarray(Image.open(path))
        (tmp_path / colored).mkdir(exist_ok=True)
        Image.fromarray(np.dstack([mask * 200, mask, mask])).save(tmp_path / colored / path.name)
    train, val = own_data.find_pairs(tmp_path)
    assert (train.folder.name, train.masks.name, val) == ('images', 'masks', None)
    assert (train.names, train.without) == (('a', 'b'), ('c',))
    (tmp_path / 'images').rename(tmp_path / 'things')  # a name that tells nothing
    assert own_data.find_pairs(tmp_path)[0].folder.name == 'things'


def test_an_own_list_is_validated_on(tmp_path):
    write(tmp_path / 'data' / 'images', list('abcdef'), 2, tmp_path / 'data' / 'masks')
    write(tmp_path / 'more', ['z'], 2, suffix='.jpg')
    (tmp_path / 'val.txt').write_text('images/b.png\nimages/e.png\n')
    options = ('--val', 'val.txt', '--labeled', 2, '--unlabeled', 'more', '--device', 'cpu', '--no-estimate')
    (tmp_path / 'here').mkdir()
    code, told = run_tool('init.py', 'data', '--out', 'here/mine.py', *options, cwd=tmp_path)
    assert (code, 'validation  2 (val.txt)' in told) == (0, True)
    lists = {path.stem: path.read_text().split() for path in (tmp_path / 'here' / 'mine_lists').iterdir()}
    assert lists['val'] == ['b', 'e']
    assert len(lists['labeled']) == 2
    assert len(lists['unlabeled']) == 3
    assert 'more/z.jpg' in lists['unlabeled']


@pytest.mark.whole_run
@pytest.mark.parametrize(
    ('make', 'classes', 'lists'),
    [(own_val, [f'class {label}' for label in range(7)], (6, 2, 2)), (few_labels, ['ground', 'roof'], (4, 5, 2))],
    ids=lambda value: getattr(value, '__name__', ''),
)
def test_two_commands_train(tmp_path, make, classes, lists):
    pytest.importorskip('timm')
    data, here = tmp_path / 'data', tmp_path / 'here'
    here.mkdir()
    options = make(data)
    before = sorted(data.rglob('*'))
    code, told = run_tool('init.py', '../data', '--device', 'cpu', *options, cwd=here)
    assert code == 0, told
    assert f'classes     {len(classes)}: {", ".join(classes)}' in told
    assert 'iterations of' in told
    assert told.splitlines()[-1] == 'Next: python -m mmdmt train mine.py'
    sizes = [len((here / 'mine_lists' / f'{name}.txt').read_text().split()) for name in ('labeled', 'unlabeled', 'val')]
    assert tuple(sizes) == lists
    weights = ['model.peers.lite0.backbone.init_cfg=None', 'model.peers.lite1.backbone.init_cfg=None']
    result = python(ROOT / 'tools' / 'train.py', 'mine.py', '--cfg-options', *SHORT, *weights, cwd=here)
    assert result.returncode == 0, result.stderr[-3000:]
    assert (here / 'work_dirs' / 'mine' / 'iter_2.pth').is_file()
    assert sorted(data.rglob('*')) == before
    code, told = run_tool('init.py', '../data', cwd=here)
    assert code != 0


def test_shares_that_differ_a_thousandfold_weigh_classes():
    masks = own_data.Masks((9_000_000, 999_000, 0, 1000), {})
    weights = own_data.class_weights(masks, 4)
    shares = np.array([0.9, 0.0999, 0, 0.0001])
    assert (weights * shares).sum() == pytest.approx(1, rel=1e-3)
    assert weights[3] / weights[0] == pytest.approx((0.9 / 0.0001) ** 0.5, rel=1e-3)
    assert own_data.class_weights(own_data.Masks((900, 100, 1), {}), 3) == []


def of_black_and_white(data):
    write(data / 'images', ['a'], 2, data / 'masks')
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(data / 'masks' / 'a.png')


def of_colors(data):
    write(data / 'images', ['a'], 2)
    write(data / 'masks', ['a'], 2)


def of_16_bits(data):
    write(data / 'images', ['a'], 2, data / 'masks')
    Image.fromarray(np.eye(8, dtype=np.uint16)).save(data / 'masks' / 'a.png')


@pytest.mark.parametrize(
    ('make', 'options', 'sentence'),
    [
        (lambda data: data.mkdir(), [], 'No image in .* has a mask .*no image at all'),
        (lambda data: write(data / 'photos', ['a'], 2), [], r'No image in .* \(found: photos\): put images into'),
        (of_black_and_white, [], 'are black and white, 0 and 255, .* --colors 000000 ffffff'),
        (of_colors, [], 'a.png is an image of mode RGB, .*dataset_converters/color_masks'),
        (of_16_bits, [], 'a.png is an image of mode I;16, .*8 bits with class ids from 0 on'),
        (lambda data: write(data / 'images', ['a', 'b'], 2, data / 'masks'), [], 'Every image in .* --labeled N'),
        (own_val, ['--classes', 'one'], '--classes names 1 classes, but masks hold the id 6: name 7.'),
        (few_labels, ['--labeled', '40'], '--labeled 40: give 1 to 8, the masks not validated on.'),
    ],
)
def test_what_cannot_be_trained_on_is_told_in_a_sentence(tmp_path, make, options, sentence):
    make(tmp_path / 'data')
    code, _ = run_tool('init.py', 'data', *options, cwd=tmp_path)
    assert isinstance(code, str)
    assert re.search(sentence, code), code
    assert not (tmp_path / 'mine.py').exists()
