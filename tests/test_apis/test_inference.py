import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmseg.apis import inference_model
from toys.segmentation import CLASSES, VAL_PIPELINE, run_config, shapes, toy_segmentor

from mmdmt.apis import confidence_map, find_images, init_peers, predict_images


@pytest.fixture
def run(shapes_folder, tmp_path, mmseg_scope):
    """A run's config and checkpoint, with random weights."""
    config = run_config(shapes_folder, tmp_path / 'run')
    config.test_dataloader = config.val_dataloader
    model = MODELS.build(config.model)
    checkpoint = tmp_path / 'iter_9.pth'
    meta = {'dataset_meta': {'classes': CLASSES, 'palette': [[0, 0, 0], [255, 0, 0], [0, 255, 0]]}}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, checkpoint)
    return config, checkpoint


@pytest.fixture
def photos(tmp_path):
    """Images as users have them: of odd sizes, gray, with alpha, in folders, among other files."""
    generator = np.random.default_rng(0)
    for name, shape in {
        'b.jpg': (33, 47, 3),
        'gray.png': (50, 31),
        'more/alpha.png': (21, 40, 4),
        'more/deep/a.PNG': (64, 65, 3),
    }.items():
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), generator.integers(0, 256, shape).astype(np.uint8))
    (tmp_path / 'photos' / 'notes.txt').write_text('no image')
    (tmp_path / 'photos' / '.hidden.png').write_text('no image')
    return tmp_path / 'photos'


def test_a_folder_is_predicted_image_by_image_at_each_ones_size(run, photos):
    model = init_peers(*run)
    samples = list(predict_images(model, photos))
    shapes = {sample.img_path: tuple(sample.pred_sem_seg.data.shape) for sample in samples}
    assert shapes == {
        str(photos / 'b.jpg'): (1, 33, 47),
        str(photos / 'gray.png'): (1, 50, 31),
        str(photos / 'more' / 'alpha.png'): (1, 21, 40),
        str(photos / 'more' / 'deep' / 'a.PNG'): (1, 64, 65),
    }
    for sample in samples:
        assert set(sample.peers.keys()) == {'left', 'right', 'ensemble'}
        assert sample.seg_logits.shape == sample.pred_sem_seg.shape


def test_the_result_is_the_mean_softmax_of_the_peers(run, photos):
    peers = [init_peers(*run, peer=name) for name in ('left', 'right')]
    of_peers = [list(predict_images(peer, photos)) for peer in peers]
    for sample, *each in zip(predict_images(init_peers(*run), photos), *of_peers, strict=True):
        mean = torch.stack([one.seg_logits.data.softmax(0) for one in each]).mean(0)
        assert sample.pred_sem_seg.data[0].equal(mean.argmax(0))
        torch.testing.assert_close(confidence_map(sample), mean.amax(0))


def test_a_peer_alone_is_a_plain_segmentor_with_its_weights(run, photos):
    peer = init_peers(*run, peer='right')
    assert type(peer).__name__ == 'EncoderDecoder'
    expected = MODELS.build(run[0].model.peers.right)
    expected.load_state_dict(
        {
            key.removeprefix('right.'): value
            for key, value in torch.load(run[1])['state_dict'].items()
            if key.startswith('right.')
        }
    )
    for key, value in expected.state_dict().items():
        assert value.equal(peer.state_dict()[key])
    path = photos / 'b.jpg'
    (sample,) = predict_images(peer, path)
    assert sample.seg_logits.data.equal(inference_model(peer, str(path)).seg_logits.data)


def test_images_are_loaded_as_they_are_asked_for(run, photos):
    paths = find_images(photos)
    paths.insert(1, photos / 'notes.txt')
    predictions = predict_images(init_peers(*run), paths)
    assert next(predictions).img_path == str(paths[0])
    with pytest.raises(ValueError, match=r'notes\.txt cannot be loaded as an image'):
        next(predictions)


def test_data_workers_change_nothing(run, photos):
    model = init_peers(*run)
    pairs = zip(predict_images(model, photos), predict_images(model, photos, num_workers=1), strict=True)
    for alone, with_workers in pairs:
        assert alone.img_path == with_workers.img_path
        assert alone.seg_logits.data.equal(with_workers.seg_logits.data)


def test_the_test_pipelines_resizing_is_applied_and_undone(run, photos):
    config, checkpoint = run
    config.test_dataloader.dataset.pipeline.insert(1, {'type': 'Resize', 'scale': (32, 32)})
    (sample,) = predict_images(init_peers(config, checkpoint), photos / 'b.jpg')
    assert sample.img_shape == (32, 32)
    assert sample.pred_sem_seg.shape == (33, 47)


def test_a_plain_segmentor_is_predicted_with_too(shapes_folder, tmp_path, photos, mmseg_scope):
    settings = toy_segmentor(out_channels=1, num_classes=2, threshold=0.4)
    del settings['auxiliary_head']
    settings['decode_head']['loss_decode'] = {'type': 'CrossEntropyLoss', 'use_sigmoid': True}
    dataset = shapes(shapes_folder, 'val.txt', pipeline=VAL_PIPELINE, metainfo={'classes': ('ground', 'square')})
    config = Config({'model': settings, 'test_dataloader': {'dataset': dataset}})
    torch.save({'state_dict': MODELS.build(config.model).state_dict()}, tmp_path / 'plain.pth')
    model = init_peers(config, tmp_path / 'plain.pth')
    assert model.dataset_meta['classes'] == ('ground', 'square')
    for sample in predict_images(model, photos):
        probability = sample.seg_logits.data[0]
        expected = torch.where(probability > 0.4, probability, 1 - probability)
        assert confidence_map(sample).equal(expected)
    with pytest.raises(ValueError, match="'left' is asked for, but the config is of one EncoderDecoder"):
        init_peers(config, tmp_path / 'plain.pth', peer='left')


def test_what_is_not_there_or_of_another_model_is_refused(run, tmp_path):
    config, checkpoint = run
    weights = torch.load(checkpoint)['state_dict']
    torch.save({key.replace('left.', 'up.'): value for key, value in weights.items()}, tmp_path / 'other.pth')
    torch.save({**weights, 'right.decode_head.conv_seg.bias': torch.zeros(7)}, tmp_path / 'shape.pth')
    (tmp_path / 'empty').mkdir()
    model = init_peers(config, checkpoint)
    for call, kind, sentence in (
        (lambda: init_peers(tmp_path / 'none.py', checkpoint), FileNotFoundError, r'none\.py does not exist: give the'),
        (lambda: init_peers(config, tmp_path / 'none.pth'), FileNotFoundError, r'none\.pth does not exist: give a'),
        (
            lambda: init_peers(config, checkpoint, peer='middle'),
            ValueError,
            "peers of this config are left, right and ensemble, got 'middle'",
        ),
        (lambda: predict_images(model, tmp_path / 'nowhere'), FileNotFoundError, 'nowhere is not a folder'),
        (lambda: predict_images(model, tmp_path / 'empty'), FileNotFoundError, 'empty holds no image'),
        (
            lambda: init_peers(config, tmp_path / 'other.pth'),
            ValueError,
            r'do not fit, first left\.backbone\.conv1\.weight .missing.',
        ),
        (
            lambda: init_peers(config, tmp_path / 'shape.pth'),
            ValueError,
            r'first right\.decode_head\.conv_seg\.bias .*for .3,.',
        ),
    ):
        with pytest.raises(kind, match=sentence):
            call()


def test_what_a_checkpoint_has_more_is_left(run, tmp_path):
    config, checkpoint = run
    content = torch.load(checkpoint)
    content['state_dict']['ema.steps'] = torch.zeros(1)
    torch.save(content, tmp_path / 'more.pth')
    weights = init_peers(config, tmp_path / 'more.pth').state_dict()
    assert all(value.equal(content['state_dict'][key]) for key, value in weights.items())
