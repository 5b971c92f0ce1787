"""Crops that are labeled online: forwarded together, padded as in training, and never mixed."""

import pytest
import torch
from mmseg.structures import SegDataSample
from toys.segmentation import toy_segmentor

from mmdmt.models.prediction import forward_crops
from mmdmt.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')
SIZES = [(20, 31), (32, 32), (9, 32)]  # a head of MMSegmentation goes by the first


def crops():
    images = [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in SIZES]
    return images, [SegDataSample(metainfo={'img_shape': size, 'ori_shape': size}) for size in SIZES]


def test_crops_of_any_size_are_one_batch_of_the_size_of_training():
    peer = MODELS.build(toy_segmentor()).eval()
    images, samples = crops()
    sizes = []
    peer.backbone.register_forward_pre_hook(lambda module, inputs: sizes.append(tuple(inputs[0].shape)))
    with torch.no_grad():
        (found,) = forward_crops(peer, {'inputs': images, 'data_samples': samples})
    assert sizes == [(3, 3, 32, 32)]
    assert found.positions == [0, 1, 2]
    assert [tuple(found.logits[0, 0][window].shape) for window in found.windows] == SIZES
    # As if each were padded and forwarded alone.
    for image, logits in zip(images, found.logits, strict=True):
        padded = torch.zeros(1, 3, 32, 32)
        padded[0, :, : image.shape[1], : image.shape[2]] = (image - peer.data_preprocessor.mean) / 64.0
        with torch.no_grad():
            alone = peer.encode_decode(padded, [{'img_shape': (32, 32)}])
        torch.testing.assert_close(logits, alone[0], rtol=1e-4, atol=1e-5)


def test_images_of_a_labeler_are_not_mixed_by_its_preprocessor():
    peer = MODELS.build(toy_segmentor()).eval()
    peer.data_preprocessor.batch_augments = lambda inputs, samples: pytest.fail('mixed')
    images, samples = crops()
    with torch.no_grad():
        found = list(forward_crops(peer, {'inputs': images, 'data_samples': samples}))
    assert sorted(position for one in found for position in one.positions) == [0, 1, 2]
