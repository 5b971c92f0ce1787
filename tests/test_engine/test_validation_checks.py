"""What is validated or tested on is checked as what is trained on."""

import shutil

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from toys.segmentation import VAL_PIPELINE, run_config, shapes
from toys.told import log_of

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def data(shapes_folder, tmp_path):
    return shutil.copytree(shapes_folder, tmp_path / 'data')


def damage(path, change):
    cv2.imwrite(str(path), change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))


def only_testing(data, tmp_path, **settings):
    """A run that only tests."""
    config = run_config(data, tmp_path / 'run', experiment_name=tmp_path.name)
    config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
    config.test_cfg = {'type': 'TestLoop'}
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'val_dataloader', 'val_cfg'):
        config.pop(key)
    config.pop('val_evaluator')
    config.merge_from_dict(settings)
    return Runner.from_cfg(config)


def test_masks_of_a_test_are_checked_before_its_first_image(data, tmp_path):
    damage(data / 'masks' / '018.png', lambda mask: mask * 80)
    with pytest.raises(ValueError, match=r'masks/018.png holds labels 80, 160, but the 3 classes are 0\.\.2'):
        only_testing(data, tmp_path).test()


def test_what_a_test_ignores_is_compared_with_the_heads(data, tmp_path):
    with pytest.raises(ValueError, match='ignore_index is 255 in decode_head .* but 3 in PeerMetric of test_evaluator'):
        only_testing(data, tmp_path, **{'test_evaluator.metric.ignore_index': 3}).test()


def test_a_wrong_mask_that_was_not_looked_at_ends_the_validation(data, tmp_path):
    """Of 20 masks the run looks at 8 before it starts; number 1 is not among them."""
    for number in range(4, 16):
        image = cv2.imread(str(data / 'images' / f'{number:03d}.png'))
        cv2.imwrite(str(data / 'masks' / f'{number:03d}.png'), np.zeros(image.shape[:2], np.uint8))
    (data / 'all.txt').write_text(''.join(f'{number:03d}\n' for number in range(20)))
    damage(data / 'masks' / '001.png', lambda mask: mask + 1)
    part = shapes(data, 'all.txt', pipeline=VAL_PIPELINE)
    with pytest.raises(ValueError, match=r'masks/001.png holds label 3, but the 3 classes are 0\.\.2'):
        only_testing(data, tmp_path, **{'test_dataloader.dataset': part}).test()


@pytest.mark.whole_run
def test_a_class_in_no_labeled_mask_is_a_warning(data, tmp_path):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.where(mask == 1, 0, mask))
    Runner.from_cfg(run_config(data, tmp_path / 'run', experiment_name=tmp_path.name)).train()
    assert log_of(tmp_path / 'run').count('WARNING - No labeled image shows square, which no peer can learn') == 1


PAD = {'type': 'Pad', 'size': (72, 64), 'pad_val': {'img': 120, 'seg': 255}}
LOAD, LOAD_MASK, PACK = VAL_PIPELINE


@pytest.mark.parametrize('scale', [1, 2])
def test_padding_of_test_images_is_cut_off_predictions(data, tmp_path, scale):
    resize = {'type': 'Resize', 'scale_factor': float(scale), 'keep_ratio': True}
    size = {**PAD, 'size': (72 * scale, 64 * scale)}  # (width, height)
    metric = {'type': 'IoUMetric', 'format_only': True, 'output_dir': str(tmp_path / 'out')}
    settings = {'test_dataloader.dataset.pipeline': [LOAD, resize, size, LOAD_MASK, PACK]}
    runner = only_testing(data, tmp_path, **settings, **{'test_evaluator.metric': metric})
    for peer in runner.model.bare_peers.values():
        torch.nn.init.normal_(peer.decode_head.conv_seg.weight, std=1.0)
    runner.test()
    means = []
    image = cv2.imread(str(data / 'images' / '016.png'))
    height, width = image.shape[:2]
    padded = np.full((64 * scale, 72 * scale, 3), 120, np.uint8)
    padded[: height * scale, : width * scale] = cv2.resize(image, (width * scale, height * scale))
    for name, peer in runner.model.bare_peers.items():
        sample = SegDataSample(metainfo={'img_shape': padded.shape[:2], 'ori_shape': padded.shape[:2]})
        batch = {'inputs': [torch.from_numpy(padded).permute(2, 0, 1)], 'data_samples': [sample]}
        with torch.no_grad():
            (whole,) = peer(**peer.data_preprocessor(batch, False), mode='predict')
        logits = whole.seg_logits.data[None, :, : height * scale, : width * scale]
        means.append(torch.nn.functional.interpolate(logits, (height, width), mode='bilinear').softmax(dim=1))
        found = cv2.imread(str(tmp_path / 'out' / name / '016.png'), cv2.IMREAD_UNCHANGED)
        assert len(np.unique(found)) > 1
        assert np.array_equal(found, means[-1].argmax(dim=1)[0].numpy())
    found = cv2.imread(str(tmp_path / 'out' / 'ensemble' / '016.png'), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(found, sum(means).argmax(dim=1)[0].numpy())


ROTATE = {'type': 'RandomRotate', 'prob': 1.0, 'degree': 20}


def views(transform):
    steps = [{'type': 'Resize', 'scale_factor': 1.0}], [transform], [LOAD_MASK], [PACK]
    return {'type': 'TestTimeAug', 'transforms': list(steps)}


PADS_AGAIN = {'model.peers.left.data_preprocessor.test_cfg': {'size_divisor': 32}}


@pytest.mark.parametrize(
    ('pipeline', 'settings', 'words'),
    [
        ([LOAD, LOAD_MASK, PAD, PACK], {}, r'016.png is 64x72 \(height x width\) after its pipeline, .* at 40x44'),
        ([LOAD, PAD, {'type': 'RandomFlip', 'prob': 1.0}, LOAD_MASK, PACK], {}, 'RandomFlip .* stands behind Pad'),
        ([LOAD, {'type': 'CenterCrop', 'crop_size': 20}, LOAD_MASK, PACK], {}, 'CenterCrop .* turns, moves or cuts'),
        ([LOAD, views(ROTATE)], {}, 'RandomRotate in the pipeline of test_dataloader.dataset turns, moves'),
        ([LOAD, views(PAD)], {}, 'test_dataloader.dataset pads views of TestTimeAug'),
        ([LOAD, PAD, LOAD_MASK, PACK], PADS_AGAIN, 'pads images that test_cfg of data_preprocessor pads again'),
    ],
)
def test_geometry_of_test_images_that_cannot_be_undone_is_refused(data, tmp_path, pipeline, settings, words):
    with pytest.raises(ValueError, match=words):
        only_testing(data, tmp_path, **{'test_dataloader.dataset.pipeline': pipeline}, **settings).test()


def test_a_padded_size_that_is_evaluated_stays(data, tmp_path):
    pipeline = [LOAD, LOAD_MASK, PAD, {'type': 'mmdmt.EvaluateAtThisSize'}, PACK]
    metric = {'type': 'IoUMetric', 'format_only': True, 'output_dir': str(tmp_path / 'out')}
    only_testing(
        data, tmp_path, **{'test_dataloader.dataset.pipeline': pipeline, 'test_evaluator.metric': metric}
    ).test()
    assert cv2.imread(str(tmp_path / 'out' / 'left' / '016.png')).shape == (64, 72, 3)


def test_a_transform_that_is_not_known_is_named_once(data, tmp_path):
    from mmcv.transforms import BaseTransform
    from mmengine.registry import TRANSFORMS

    class Sharpened(BaseTransform):
        def transform(self, results):
            return results

    TRANSFORMS.register_module(module=Sharpened, force=True)
    runner = only_testing(
        data, tmp_path, **{'test_dataloader.dataset.pipeline': [LOAD, {'type': 'Sharpened'}, *VAL_PIPELINE[1:]]}
    )
    runner.test()
    words = 'WARNING - Sharpened in the pipeline of test_dataloader.dataset: if they move what an image shows'
    assert log_of(tmp_path / 'run').count(words) == 1


def predictions(data, tmp_path, name, **settings):
    """Predictions of a test, by file."""
    metric = {'type': 'IoUMetric', 'format_only': True, 'output_dir': str(tmp_path / name)}
    torch.manual_seed(0)
    runner = only_testing(data, tmp_path, **settings, **{'test_evaluator.metric': metric})
    for peer in runner.model.bare_peers.values():
        torch.nn.init.normal_(peer.decode_head.conv_seg.weight, std=1.0)
    runner.test()
    return {path.relative_to(tmp_path / name): path.read_bytes() for path in sorted((tmp_path / name).rglob('*.png'))}


def test_images_of_two_sizes_in_one_batch_are_predicted_as_one_by_one(data, tmp_path):
    together = predictions(data, tmp_path, 'together', **{'test_dataloader.batch_size': 4})
    assert len(together) == 12
    assert together == predictions(data, tmp_path, 'alone')


def test_ids_are_mapped_by_the_names_of_classes(data, tmp_path):
    runner = Runner.from_cfg(run_config(data, tmp_path / 'train', **{'train_cfg.val_interval': 9}))
    runner.train()
    checkpoint = str(tmp_path / 'train' / 'iter_9.pth')
    right = only_testing(data, tmp_path, load_from=checkpoint).test()
    for number in range(16, 20):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.array([1, 0, 2], np.uint8)[mask])
    order = {'load_from': checkpoint, 'test_dataloader.dataset.metainfo.classes': ('square', 'ground', 'disc')}
    with pytest.raises(
        ValueError, match="'ground', 'square', 'disc' in the checkpoint, but 'square', 'ground', 'disc' in"
    ):
        only_testing(data, tmp_path, **order).test()
    assert only_testing(data, tmp_path, **order, **{'custom_hooks.0.map_classes': True}).test() == right
