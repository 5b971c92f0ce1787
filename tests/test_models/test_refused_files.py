"""Weights that a peer starts from are refused by init_cfg as by load_from."""

import argparse

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from toys.segmentation import toy_segmentor

pytestmark = pytest.mark.usefixtures('mmseg_scope')
POINTER = b'version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 102400\n'


@pytest.mark.parametrize('by', ['init_cfg', 'load_from'])
@pytest.mark.parametrize(
    ('write', 'words'),
    [
        (
            lambda path: torch.save({'model': {}, 'args': argparse.Namespace()}, path),
            'holds a argparse.Namespace beside',
        ),
        (lambda path: path.write_bytes(POINTER), 'is a pointer of Git LFS in the place of the file'),
        (lambda path: path.write_bytes(b'PK\x03\x04 and no more'), 'is damaged or incomplete'),
    ],
    ids=['Namespace', 'pointer', 'cut short'],
)
def test_a_file_that_cannot_be_loaded_is_named_with_what_it_is(tmp_path, by, write, words):
    write(tmp_path / 'given.pth')
    settings = {'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': toy_segmentor()}}
    if by == 'init_cfg':
        settings['peers']['left']['backbone']['init_cfg'] = {
            'type': 'Pretrained',
            'checkpoint': str(tmp_path / 'given.pth'),
        }
    else:
        settings['load_from'] = {'left': str(tmp_path / 'given.pth')}
    model = MODELS.build(Config({'model': settings}).model)
    with pytest.raises(ValueError, match=rf"given\.pth, .* peer 'left'.*{words}") as error:
        model.init_weights()
    assert 'weights_only=False' not in str(error.value)
