"""Errors about what base configs bring along name the setting that helps."""

from urllib.error import URLError

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS
from toys.segmentation import toy_segmentor

from mmdmt.models import peer_building

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def model(**peer):
    peers = {'left': toy_segmentor(), 'right': {**toy_segmentor(), **peer}}
    return Config({'model': {'type': 'mmdmt.DynamicMutualTraining', 'peers': peers}}).model


def test_keys_of_a_base_config_are_deleted():
    head = {**toy_segmentor()['decode_head'], 'c1_in_channels': 4}
    with pytest.raises(ValueError, match="unexpected keyword argument 'c1_in_channels'.* put _delete_=True into"):
        MODELS.build(model(decode_head=head))


def test_a_sigmoid_is_switched_off():
    head = {**toy_segmentor()['decode_head'], 'loss_decode': {'type': 'CrossEntropyLoss', 'use_sigmoid': True}}
    with pytest.raises(ValueError, match='no softmax cross entropy of pixels: .*; set use_sigmoid=False'):
        MODELS.build(model(decode_head=head))


def test_weights_that_are_given_twice_are_dropped_once():
    with pytest.raises(ValueError, match='both backbone and segmentor set pretrained weight.*set pretrained=None'):
        MODELS.build(model(pretrained='a.pth', backbone={**toy_segmentor()['backbone'], 'pretrained': 'b.pth'}))


def test_initial_weights_that_cannot_be_read_are_named(tmp_path):
    built = MODELS.build(model(pretrained=str(tmp_path / 'none.pth')))
    with pytest.raises(RuntimeError, match=r'none\.pth can not be found.*copy the file there .* with pretrained=None'):
        built.init_weights()


@pytest.mark.parametrize('error', [URLError('no address'), ConnectionResetError(104, 'Connection reset')])
def test_a_download_that_fails_is_explained(error):
    with pytest.raises(RuntimeError, match='on a machine without a network'), peer_building.naming_the_way_out():
        raise error


def test_a_sentence_of_ours_passes():
    with pytest.raises(FileNotFoundError, match='^install it$'), peer_building.naming_the_way_out():
        raise FileNotFoundError('install it')
