"""Labels by the mean of what is predicted for views of an image, and by several peers."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from toys.segmentation import toy_segmentor

from mmdmt.models.averaged_views import AveragedViews
from mmdmt.models.prediction import predict_logits


@pytest.fixture
def peers():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    return {name: MODELS.build(toy_segmentor(width=width)).eval() for name, width in (('left', 4), ('right', 6))}


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator) for size in ((32, 32), (24, 40))]


def batch(images):
    sizes = [tuple(image.shape[1:]) for image in images]
    samples = [SegDataSample(metainfo={'img_shape': size, 'ori_shape': size}) for size in sizes]
    return {'inputs': images, 'data_samples': samples}


def softmax(peer, images):
    return [logits.softmax(dim=0) for logits in predict_logits(peer, batch(images))]


@torch.no_grad()
def averaged(views, peer, images):
    return [one.logits[0].softmax(dim=0) for one in views(peer, batch(images))]


@torch.no_grad()
def test_flips_are_turned_back_and_averaged(peers, images):
    found = averaged(AveragedViews(flips=['horizontal', 'vertical']), peers['left'], images)
    plain = softmax(peers['left'], images)
    across = [one.flip(-1) for one in softmax(peers['left'], [image.flip(-1) for image in images])]
    down = [one.flip(-2) for one in softmax(peers['left'], [image.flip(-2) for image in images])]
    for mean, *views in zip(found, plain, across, down, strict=True):
        torch.testing.assert_close(mean, sum(views) / 3)


@torch.no_grad()
def test_scaled_views_come_back_to_the_size_of_the_image(peers, images):
    found = averaged(AveragedViews(scales=[2.0]), peers['left'], images[1:])
    larger = F.interpolate(images[1][None].float(), (48, 80), mode='bilinear', align_corners=False)
    (logits,) = predict_logits(peers['left'], batch([larger[0].round().to(torch.uint8)]))
    expected = F.interpolate(logits.softmax(dim=0)[None], (24, 40), mode='bilinear', align_corners=False)[0]
    torch.testing.assert_close(found[0], expected)


@torch.no_grad()
def test_all_peers_label_together(peers, images):
    found = averaged(AveragedViews(peers=peers), peers['left'], images)
    left, right = softmax(peers['left'], images), softmax(peers['right'], images)
    for mean, *both in zip(found, left, right, strict=True):
        torch.testing.assert_close(mean, sum(both) / 2)
