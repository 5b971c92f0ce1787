"""Every command of docs/en/own_data.md, run in the order of the page on a data set made up for it."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from toys.forked import python
from toys.segmentation import draw

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'en' / 'own_data.md').read_text()
COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
SMALL = """
peer.update(pretrained=None, backbone=dict(depth=18, base_channels=4, stem_channels=4))
peer['decode_head'].update(in_channels=32, c1_in_channels=4, channels=8, c1_channels=8)
peer['auxiliary_head'].update(in_channels=16, channels=8)
train_dataloader.update(num_workers=0)
val_dataloader.update(num_workers=0)
"""
NO_WEIGHTS = 'model.peers.pspnet.pretrained=None model.peers.segformer.backbone.init_cfg=None'
SHORT = {
    'warm_up=1000': 'warm_up=2',
    'iters=600': 'iters=2, ratios=(0.5, 1.0)',
    'val_interval=1000': 'val_interval=3',
}


def replaced(text, changes):
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The root of a checkout, with colored masks of some images, and photos."""
    shutil.copytree(ROOT / 'configs', tmp_path / 'configs')
    (tmp_path / 'tools').symlink_to(ROOT / 'tools')
    generator = np.random.default_rng(1)
    for folder in ('data/mine/images', 'colored', 'photos/more'):
        (tmp_path / folder).mkdir(parents=True)
    for number in range(30):
        image, mask = draw(generator, *generator.integers(33, 71, 2))
        cv2.imwrite(str(tmp_path / 'data' / 'mine' / 'images' / f'{number:03d}.png'), image)
        if number < 15:
            cv2.imwrite(str(tmp_path / 'colored' / f'{number:03d}.png'), COLORS[mask][..., ::-1])
    for name, channels in {'a.jpg': slice(3), 'more/gray.png': 0}.items():
        image, _ = draw(generator, *generator.integers(33, 71, 2))
        cv2.imwrite(str(tmp_path / 'photos' / name), image[..., channels])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command):
    """Run a command of the page; what trains or tests in a process of its own, as MMEngine keeps state in one."""
    _, _, _, name, *arguments = command.split()
    if name in ('train', 'test'):
        result = python('-m', 'mmdmt', name, *arguments)
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout + result.stderr
    script = f'tools/{name}.py'
    argv, path = sys.argv, sys.path[:]
    sys.argv, sys.path[0] = [script, *arguments], str(Path(script).parent)
    try:
        runpy.run_path(script, run_name='__main__')
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f'{command}: {end.code}') from end
    finally:
        sys.argv, sys.path[:] = argv, path
    return ''


def test_a_new_user_gets_from_images_to_masks_of_new_ones(checkout, capsys, mmseg_scope):
    blocks = re.findall(r'```(bash|python)\n(.*?)```', PAGE, flags=re.DOTALL)
    commands = [line for kind, block in blocks if kind == 'bash' for line in block.splitlines()]
    schedule, models, baseline, recipe, deploy, use = (block for kind, block in blocks if kind == 'python')
    Path('two_models.py').write_text(models)
    Path('mine_recipe.py').write_text(recipe)
    Path('mine_labels.py').write_text(replaced(baseline, {'warm_up=4000': 'warm_up=6'}))
    said = {}
    for command in commands:
        command = command.replace('iter_4000', 'iter_6')
        name = command.split()[3]
        if name == 'init':
            command += ' --device gpu --no-estimate'
        said[name] = said.get(name, '') + run(command) + capsys.readouterr().out
        if name == 'init':
            with Path('mine.py').open('a') as config:
                config.write(replaced(schedule, SHORT) + SMALL)

    run(f'python -m mmdmt train two_models.py --cfg-options {NO_WEIGHTS}')
    run('python -m mmdmt train mine_recipe.py --cfg-options custom_hooks.0.warm_up=2 custom_hooks.0.iters=2')
    assert 'labels online by average' in next(Path('work_dirs/mine_recipe').glob('*/*.log')).read_text()
    assert 'pspnet.mean_weight' in next(Path('work_dirs/two_models').glob('*/vis_data/scalars.json')).read_text()
    assert len(Path('mine_lists/val.txt').read_text().split()) == 3
    assert 'No warnings.\n\nNo problems.' in said['check_data']
    assert cv2.imread('sheet.png') is not None
    assert re.search(r'left/mIoU: .* right/mIoU: .* ensemble/mIoU: ', said['test'])
    for folder in ('photos_labeled', 'photos_left'):
        for name in ('a', 'more/gray'):
            for kind, dtype in (('labels', np.uint8), ('confidence', np.uint16)):
                picture = cv2.imread(f'{folder}/{kind}/{name}.png', cv2.IMREAD_UNCHANGED)
                assert (picture.dtype, picture.ndim) == (dtype, 2)
    # As long as the run that it is compared with, and on labels alone.
    (log,) = Path('work_dirs/mine_labels').glob('*/*.log')
    assert 'Phase 0 (1 of 1), iterations 0 to 6: warm-up' in log.read_text()
    comparison = Path('comparison.html').read_text()
    assert all(name in comparison for name in ('mine', 'mine_labels'))
    assert 'the same class at all' in said['export_peer']
    exec(deploy.replace('512', '32'), {})
    labels = cv2.imread('a_labels.png', cv2.IMREAD_UNCHANGED)
    ours = cv2.imread('photos_labeled/labels/a.png', cv2.IMREAD_UNCHANGED)
    assert labels.shape == ours.shape
    assert (labels == ours)[ours < 255].mean() > 0.97  # OpenCV and PyTorch interpolate probabilities and logits
    exec(use.replace('iter_4000', 'iter_6'), {})
    assert re.findall(r'photos/\S+ \[[\d, ]+\] 0\.\d+', capsys.readouterr().out)
