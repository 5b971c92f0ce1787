"""Images of four bands, of 16 bits and of arrays, from the check of data to an exported peer."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from PIL import Image
from toys.forked import python
from toys.segmentation import CLASSES, draw, run_config, toy_segmentor

from mmdmt.apis import export_onnx, export_peer, init_peers, label_images, predict_images
from mmdmt.datasets.transforms import LoadNpyImage, LoadTiffImage
from mmdmt.preparation.data_check import check_data
from mmdmt.registry import DATASETS, MODELS, TRANSFORMS
from mmdmt.rules.file_rules import image_planes
from mmdmt.rules.image_content import read_content

ROOT = Path(__file__).parents[2]
LISTS = {'labeled': 4, 'unlabeled': 4, 'val': 2}


def four_bands(path, image, generator):
    """RGB and near infrared, 8 bits, as satellites give them."""
    stored = np.dstack([image[..., ::-1], generator.integers(0, 256, image.shape[:2]).astype(np.uint8)])
    tifffile.imwrite(path, stored, photometric='rgb', planarconfig='contig', extrasamples=['unspecified'])
    return stored


def sixteen_bits(path, image, generator):
    """Gray of 16 bits, as microscopes and X-ray give it."""
    stored = image[..., 1].astype(np.uint16) * 200 + 3000
    cv2.imwrite(str(path), stored)
    return stored


def slices(path, image, generator):
    """A slice of a volume, in Hounsfield units."""
    stored = image[..., 1].astype(np.float32) * 8 - 1000
    np.save(path, stored)
    return stored


LOAD = dict(type='LoadImageFromFile', color_type='unchanged', to_float32=True)
# How images are written, their suffix, what loads them, mean and deviation.
KINDS = {
    'four bands': (four_bands, '.tif', dict(LOAD, imdecode_backend='tifffile'), [90.0, 80.0, 70.0, 128.0], [64.0] * 4),
    '16 bits': (sixteen_bits, '.png', LOAD, [9000.0], [6000.0]),
    'arrays': (slices, '.npy', dict(type='mmdmt.LoadNpyImage'), [-760.0], [300.0]),
}


def write(root, save, suffix):
    """Write slices of volumes, or tiles of scenes: those of one stay in one list."""
    generator, stored, number = np.random.default_rng(0), {}, 0
    for name, count in LISTS.items():
        names = []
        for _ in range(count):
            names.append(f'volume_{number // 2}/{number % 2}')
            image, mask = draw(generator, 40, 44)
            for folder in ('images', 'masks'):
                (root / folder / names[-1]).parent.mkdir(parents=True, exist_ok=True)
            stored[names[-1]] = save(root / 'images' / f'{names[-1]}{suffix}', image, generator)
            if name != 'unlabeled':
                cv2.imwrite(str(root / 'masks' / f'{names[-1]}.png'), mask)
            number += 1
        (root / f'{name}.txt').write_text('\n'.join(names) + '\n')
    return stored


def config_of(root, work_dir, kind):
    _, suffix, load, mean, std = KINDS[kind]
    config = run_config(root, work_dir)
    config.custom_hooks[0].phases = [dict(iters=1, labeled=4), dict(iters=1, labeled=2, pseudo=2, label_ratio=0.5)]
    config.custom_hooks.append(dict(type='mmdmt.PictureHook', images=1, val_images=1))
    config.train_cfg.update(max_iters=2, val_interval=2)
    peers = {}
    for name, width in (('left', 4), ('right', 6)):
        peers[name] = toy_segmentor(width=width)
        peers[name]['data_preprocessor'].update(mean=mean, std=std)
        peers[name]['backbone']['in_channels'] = len(mean)
    config.model.peers = peers
    resize = dict(type='RandomResize', scale=(48, 40), ratio_range=(0.8, 1.2), keep_ratio=True)
    train = [load, dict(type='LoadAnnotations'), resize, dict(type='RandomCrop', crop_size=(32, 32))]
    config.train_dataloader.dataset.labeled.update(
        pipeline=[*train, dict(type='RandomFlip', prob=0.5), dict(type='PackSegInputs')], img_suffix=suffix
    )
    config.train_dataloader.dataset.unlabeled.img_suffix = suffix
    config.val_dataloader.dataset.update(
        pipeline=[load, dict(type='LoadAnnotations'), dict(type='PackSegInputs')], img_suffix=suffix
    )
    config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
    config.test_cfg = dict(type='TestLoop')
    return config


@pytest.mark.whole_run
@pytest.mark.parametrize('kind', KINDS)
def test_other_images_go_from_the_check_of_data_to_an_exported_peer(tmp_path, kind, mmseg_scope):
    save, suffix, _, mean, _ = KINDS[kind]
    data, work = tmp_path / 'data', tmp_path / 'work'
    stored = write(data, save, suffix)
    config = config_of(data, work, kind)
    report = check_data(config, workers=1)
    assert not report.problems
    assert {name: len(images) for name, images in report.images.items()} == LISTS
    work.mkdir()
    config.dump(work / 'config.py')
    result = python(ROOT / 'tools' / 'check_data.py', work / 'config.py', '--draw', tmp_path / 'sheet.png')
    assert result.returncode == 0, result.stderr
    assert np.ptp(cv2.imread(str(tmp_path / 'sheet.png'))) > 200

    # What a network is given are the values of the file.
    dataset = DATASETS.build(config.train_dataloader.dataset)
    first = torch.from_numpy(np.atleast_3d(stored['volume_2/0']).astype(np.float32)).permute(2, 0, 1)
    assert dataset.labeling_item(0)['inputs'].equal(first)

    Runner.from_cfg(config).train()
    assert len(list((work / 'pictures').glob('*/*.png'))) == 4
    checkpoint = work / 'iter_2.pth'

    model = init_peers(config, checkpoint)
    manifest = label_images(model, data / 'images', tmp_path / 'labels', threshold=0.0)
    assert manifest['images'] == sum(LISTS.values())
    label = np.asarray(Image.open(tmp_path / 'labels' / 'labels' / 'volume_2' / '0.png'))
    (sample,) = predict_images(model, data / 'images' / f'volume_2/0{suffix}')
    assert (label == sample.pred_sem_seg.data[0].numpy()).all()

    # The exported peer gives, in the toolbox's own hands, what the peer gives.
    plain, weights = export_peer(config, torch.load(checkpoint), 'left')
    assert 'mmdmt' not in plain.pretty_text
    plain.dump(tmp_path / 'left.py')
    torch.save(weights, tmp_path / 'left.pth')
    from mmseg.apis import inference_model, init_model

    exported = init_model(str(tmp_path / 'left.py'), str(tmp_path / 'left.pth'), device='cpu')
    image = data / 'images' / f'volume_2/0{suffix}'
    found = inference_model(exported, np.load(image) if suffix == '.npy' else str(image))
    (expected,) = predict_images(init_peers(config, checkpoint, peer='left'), image)
    torch.testing.assert_close(found.seg_logits.data, expected.seg_logits.data)

    check = export_onnx(model, tmp_path / 'peers.onnx')
    assert check.changed == 0
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / 'peers.onnx', providers=['CPUExecutionProvider'])
    assert session.get_inputs()[0].shape[1] == len(mean)
    (probabilities,) = session.run(None, {'image': first[None].numpy()})
    assert (probabilities[0].argmax(axis=0) == label).all()
    assert len(CLASSES) == probabilities.shape[1]


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (np.zeros((2, 3, 4, 5)), r'holds float64 of shape \(2, 3, 4, 5\): an image is one array'),
        (np.array([['a', 'b']]), r'holds <U1 of shape'),
        (np.zeros((2, 2), complex), 'holds complex128'),
        (b'no array', r'holds no array of numpy \('),
    ],
)
def test_a_file_that_is_no_image_is_named(tmp_path, content, words):
    path = tmp_path / 'a.npy'
    path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
    with pytest.raises(ValueError, match=rf'a\.npy {words}'):
        LoadNpyImage()({'img_path': str(path)})


def test_values_of_an_array_are_kept(tmp_path):
    array = np.array([[-1000, 2000, 30000]], np.int16)
    np.save(tmp_path / 'a.npy', array)
    loaded = LoadNpyImage()({'img_path': str(tmp_path / 'a.npy')})
    assert loaded['img'].dtype == np.float32
    assert (loaded['img'] == array).all()
    assert loaded['img_shape'] == (1, 3)


def tiff(path, layout, dtype, bands, **settings):
    """Write random bands; return them as (height, width, bands)."""
    values = np.random.default_rng(0).integers(0, 250, (20, 30, bands)).astype(dtype)
    stored = values if layout == 'contig' else values.transpose(2, 0, 1)
    tifffile.imwrite(path, stored, planarconfig=layout, photometric='minisblack', **settings)
    return values


@pytest.mark.parametrize('layout', ['contig', 'separate'])
@pytest.mark.parametrize('bands', [2, 3, 4, 7])
@pytest.mark.parametrize('settings', [{'dtype': np.uint8}, {'dtype': np.uint16, 'byteorder': '>'}, {'dtype': '<f4'}])
def test_bands_of_a_tiff_come_pixel_by_pixel_however_they_lie(tmp_path, layout, bands, settings):
    values = tiff(tmp_path / 'a.tif', layout, bands=bands, **settings)
    loaded = LoadTiffImage()({'img_path': str(tmp_path / 'a.tif')})
    assert loaded['img'].dtype == np.float32
    assert np.array_equal(loaded['img'], values.astype(np.float32))
    assert loaded['ori_shape'] == (20, 30)


def test_a_tiff_of_one_band_and_the_first_of_several_pages_are_loaded(tmp_path):
    pages = np.arange(5 * 20 * 30, dtype=np.uint16).reshape(5, 20, 30)
    tifffile.imwrite(tmp_path / 'a.tif', pages, photometric='minisblack')
    assert np.array_equal(LoadTiffImage()({'img_path': str(tmp_path / 'a.tif')})['img'], pages[0])


@pytest.mark.parametrize('content', [b'', b'no tiff', b'II*\0\xff\xff\xff\xff'])
def test_what_is_no_tiff_is_named(tmp_path, content):
    (tmp_path / 'a.tif').write_bytes(content)
    with pytest.raises(ValueError, match=r'a.tif must be a TIFF that tifffile reads'):
        LoadTiffImage()({'img_path': str(tmp_path / 'a.tif')})


OPENCV, TIFFFILE = LOAD, dict(LOAD, imdecode_backend='tifffile')


@pytest.mark.parametrize(
    ('layout', 'dtype', 'bands', 'loader', 'refused'),
    [
        ('separate', np.uint8, 4, OPENCV, True),  # which gives the first band alone
        ('separate', np.uint16, 3, OPENCV, True),
        ('separate', np.uint8, 2, OPENCV, True),
        ('separate', np.uint8, 4, TIFFFILE, True),  # which gives (bands, height, width)
        ('separate', np.uint8, 3, TIFFFILE, True),
        ('separate', np.uint8, 3, OPENCV, False),
        ('separate', np.uint8, 4, dict(type='mmdmt.LoadTiffImage'), False),
        ('contig', np.uint8, 4, TIFFFILE, False),
        ('contig', np.uint16, 3, OPENCV, False),
    ],
)
def test_planar_bands_are_refused_where_a_loader_mixes_them_up(
    tmp_path, mmseg_scope, layout, dtype, bands, loader, refused
):
    tiff(tmp_path / 'a.tif', layout, dtype, bands)
    found = image_planes('a.tif', read_content((tmp_path / 'a.tif').read_bytes()), TRANSFORMS.build(loader))
    assert (found is not None) == refused
    if found is not None:
        assert found.stops
        assert f"a.tif holds {bands} bands one after the other (planarconfig='separate')" in str(found)
        assert "dict(type='mmdmt.LoadTiffImage')" in str(found)


@pytest.mark.parametrize('kind', ['OpenCV', 'LoadTiffImage'])
def test_the_check_of_data_and_labeling_know_bands_one_after_the_other(tmp_path, kind, mmseg_scope, monkeypatch):
    def save(path, image, generator):
        tifffile.imwrite(path, four_bands(path, image, generator).transpose(2, 0, 1), planarconfig='separate')

    load = OPENCV if kind == 'OpenCV' else dict(type='mmdmt.LoadTiffImage')
    monkeypatch.setitem(KINDS, 'planes', (save, '.tif', load, *KINDS['four bands'][3:]))
    write(tmp_path / 'data', save, '.tif')
    config = config_of(tmp_path / 'data', tmp_path / 'work', 'planes')
    problems = ' '.join(check_data(config, workers=1).problems)
    model = MODELS.build(config.model).eval()
    model.cfg, model.dataset_meta = config, {'classes': CLASSES}
    if kind == 'OpenCV':
        assert '4 bands one after the other' in problems
        with pytest.raises(ValueError, match='4 bands one after the other'):
            label_images(model, tmp_path / 'data' / 'images', tmp_path / 'labels', threshold=0.0)
        assert not (tmp_path / 'labels').exists()
        return
    assert not problems
    label_images(model, tmp_path / 'data' / 'images', tmp_path / 'labels', threshold=0.0)
    path = tmp_path / 'data' / 'images' / 'volume_2' / '0.tif'
    sample = SegDataSample(metainfo={'img_shape': (40, 44), 'ori_shape': (40, 44)})
    batch = {'inputs': [torch.from_numpy(tifffile.imread(path).astype(np.float32))], 'data_samples': [sample]}
    with torch.no_grad():
        (expected,) = model.test_step(batch)
    label = np.asarray(Image.open(tmp_path / 'labels' / 'labels' / 'volume_2' / '0.png'))
    assert np.array_equal(label, expected.pred_sem_seg.data[0].numpy())
