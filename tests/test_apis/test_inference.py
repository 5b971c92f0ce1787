import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmseg.apis import inference_model
from toys.checkpoints import untrained_run
from toys.segmentation import VAL_PIPELINE, shapes, toy_segmentor

from mmdmt.apis import confidence_map, find_images, init_peers, predict_images


@pytest.fixture
def run(shapes_folder, tmp_path, mmseg_scope):
    return untrained_run(shapes_folder, tmp_path)


SIZES = {'b.jpg': (33, 47, 3), 'gray.png': (50, 31), 'more/alpha.png': (21, 40, 4), 'more/deep/a.PNG': (64, 65, 3)}


@pytest.fixture
def photos(tmp_path):
    """Images as users have them: of odd sizes, gray, with alpha, in folders, among other files."""
    generator = np.random.default_rng(0)
    for name, shape in SIZES.items():
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), generator.integers(0, 256, shape).astype(np.uint8))
    for name in ('notes.txt', '.hidden.png'):
        (tmp_path / 'photos' / name).write_text('no image')
    return tmp_path / 'photos'


def test_a_folder_is_predicted_image_by_image_at_each_ones_size_with_or_without_workers(run, photos):
    model = init_peers(*run)
    samples = list(predict_images(model, photos))
    found = {sample.img_path: tuple(sample.pred_sem_seg.data.shape) for sample in samples}
    assert found == {str(photos / name): (1, *shape[:2]) for name, shape in SIZES.items()}
    for sample, with_worker in zip(samples, predict_images(model, photos, num_workers=1), strict=True):
        assert set(sample.peers.keys()) == {'left', 'right', 'ensemble'}
        assert sample.seg_logits.shape == sample.pred_sem_seg.shape
        assert sample.img_path == with_worker.img_path
        assert sample.seg_logits.data.equal(with_worker.seg_logits.data)


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
    weights = torch.load(run[1])['state_dict']
    assert all(value.equal(weights[f'right.{key}']) for key, value in peer.state_dict().items())
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


def test_the_test_pipelines_resizing_is_applied_and_undone(run, photos):
    config, checkpoint = Config.fromfile(run[0]), run[1]
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


@pytest.mark.parametrize(
    ('call', 'sentence'),
    [
        (lambda run, there: init_peers(there / 'none.py', run[1]), r'none\.py does not exist: give the config'),
        (lambda run, there: init_peers(run[0], there / 'none.pth'), r'none\.pth does not exist: give a checkpoint'),
        (lambda run, there: init_peers(*run, peer='middle'), "are left, right and ensemble, got 'middle'"),
        (lambda run, there: next(predict_images(init_peers(*run), there / 'nowhere')), 'nowhere must be a folder'),
        (lambda run, there: next(predict_images(init_peers(*run), there / 'empty')), 'empty holds no image'),
        (
            lambda run, there: init_peers(run[0], there / 'other.pth'),
            r'do not fit: left\.backbone\.conv1\.weight .missing.',
        ),
        (
            lambda run, there: init_peers(run[0], there / 'shape.pth'),
            r'do not fit: right\.decode_head\.conv_seg\.bias .*for',
        ),
    ],
)
def test_what_is_not_there_or_of_another_model_is_refused(run, tmp_path, call, sentence):
    weights = torch.load(run[1])['state_dict']
    torch.save({key.replace('left.', 'up.'): value for key, value in weights.items()}, tmp_path / 'other.pth')
    torch.save({**weights, 'right.decode_head.conv_seg.bias': torch.zeros(7)}, tmp_path / 'shape.pth')
    (tmp_path / 'empty').mkdir()
    with pytest.raises((FileNotFoundError, ValueError), match=sentence):
        call(run, tmp_path)


def test_what_a_checkpoint_has_more_is_left(run, tmp_path):
    content = torch.load(run[1])
    content['state_dict']['ema.steps'] = torch.zeros(1)
    torch.save(content, tmp_path / 'more.pth')
    weights = init_peers(run[0], tmp_path / 'more.pth').state_dict()
    assert all(value.equal(content['state_dict'][key]) for key, value in weights.items())
