import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from toys.segmentation import run_config, toy_segmentor

from mmdmt.apis import init_peers
from mmdmt.apis.export import export_peer
from mmdmt.models.run_weights import check_run_weights, rename_weights
from mmdmt.models.weights import check_sound, fault_of, fit, load_plain_checkpoint

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def segmentor(width=4, seed=0, **settings):
    torch.manual_seed(seed)
    return MODELS.build({**toy_segmentor(width), **settings})


def file_of(tmp_path, content):
    path = tmp_path / 'weights.pth'
    torch.save(content, path)
    return str(path)


def without(weights, *words):
    return {key: value for key, value in weights.items() if not any(word in key for word in words)}


SPELLINGS = {
    'as it is': lambda weights: {'state_dict': weights, 'meta': {}},
    'bare': lambda weights: weights,
    'data parallel': lambda weights: {'state_dict': {f'module.{key}': value for key, value in weights.items()}},
    'compiled': lambda weights: {'state_dict': {f'_orig_mod.module.{key}': value for key, value in weights.items()}},
    'old torch': lambda weights: {'state_dict': without(weights, 'num_batches_tracked')},
    'average beside it': lambda weights: {
        'state_dict': {**weights, **{f'ema_{key.replace(".", "_")}': value + 1 for key, value in weights.items()}}
    },
    'average alone': lambda weights: {
        'ema_state_dict': {'steps': torch.tensor(3), **{f'module.{key}': value for key, value in weights.items()}}
    },
    'timm': lambda weights: {'model': weights, 'epoch': 3},
    'without auxiliary head': lambda weights: {'state_dict': without(weights, 'auxiliary_head')},
}


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_the_weights_of_a_peer_are_taken_in_every_spelling(tmp_path, spelling):
    given = segmentor(seed=1)
    peer = segmentor()
    load_plain_checkpoint('left', peer, file_of(tmp_path, SPELLINGS[spelling](given.state_dict())))
    for key, value in peer.decode_head.state_dict().items():
        assert value.equal(given.decode_head.state_dict()[key])
    for key, value in peer.backbone.state_dict().items():
        assert value.equal(given.backbone.state_dict()[key])


OTHERS = {
    'twice as wide': lambda: segmentor(width=8).state_dict(),
    'no decode head': lambda: without(segmentor().state_dict(), 'decode_head.conv', 'auxiliary_head'),
    'half a backbone': lambda: without(segmentor().state_dict(), 'backbone.layer2'),
    'counters alone': lambda: {
        key: value for key, value in segmentor().state_dict().items() if 'num_batches_tracked' in key
    },
}


@pytest.mark.parametrize('other', OTHERS)
def test_the_weights_of_another_network_are_refused(tmp_path, other):
    path = file_of(tmp_path, {'state_dict': OTHERS[other]()})
    with pytest.raises(ValueError, match=r"the checkpoint for peer 'left', is of another network: \d+ of \d+ tensors"):
        load_plain_checkpoint('left', segmentor(), path)


@pytest.mark.parametrize('prefix', ['backbone.', ''])
def test_a_file_of_a_backbone_says_how_it_is_loaded(tmp_path, prefix):
    weights = {f'{prefix}{key}': value for key, value in segmentor(seed=1).backbone.state_dict().items()}
    path = file_of(tmp_path, {'state_dict': weights})
    with pytest.raises(
        ValueError, match='its backbone alone fits, so write backbone=dict.init_cfg=(.*) in peers'
    ) as error:
        load_plain_checkpoint('left', segmentor(), path)
    written = str(error.value).partition('init_cfg=')[2].partition(') in peers')[0]
    config = toy_segmentor()
    config['backbone']['init_cfg'] = eval(written)
    model = MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': config}})
    model.init_weights()
    for key, value in model.left.backbone.state_dict().items():
        assert value.equal(weights[f'{prefix}{key}']), key


def test_weights_that_stay_random_are_told_in_a_table(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('mmdmt.models.weights.print_log', lambda text, **_: said.append(text))
    monkeypatch.setattr('mmdmt.models.weights.MOST_LOST', 0.02)
    given = segmentor(seed=1)
    lacking = without(given.state_dict(), 'decode_head.conv_seg.bias')
    load_plain_checkpoint('left', segmentor(), file_of(tmp_path, lacking))
    assert 'decode_head.conv_seg.bias  file missing' in said[0]
    assert 'network (3,)' in said[0]


@pytest.mark.parametrize('width', [4, 8])
def test_weights_that_init_cfg_names_must_be_of_this_network(tmp_path, width):
    path = file_of(tmp_path, {'state_dict': segmentor(width=width).backbone.state_dict()})
    config = toy_segmentor()
    config['backbone']['init_cfg'] = {'type': 'Pretrained', 'checkpoint': path}
    model = MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': {'left': config}})
    if width == 4:
        model.init_weights()
        return
    with pytest.raises(ValueError, match="init_cfg of backbone of peer 'left', is of another network"):
        model.init_weights()


def run_weights(wide):
    peers = {'left': toy_segmentor(8 if wide else 4), 'right': toy_segmentor(12 if wide else 6)}
    return MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': peers})


def test_a_run_of_wider_networks_gives_no_weights_to_one_of_narrow_ones(tmp_path):
    path = file_of(tmp_path, {'state_dict': run_weights(wide=True).state_dict()})
    with pytest.raises(ValueError, match="load_from for peer 'left', is of another network"):
        check_run_weights(path, run_weights(wide=False), complete=False)


def test_weights_of_a_run_are_loaded_by_their_plain_names():
    weights = run_weights(wide=False).state_dict()
    checkpoint = {'state_dict': {f'module.{key}': value for key, value in weights.items()}}
    rename_weights(checkpoint)
    assert checkpoint['state_dict'].keys() == weights.keys()


def test_the_share_that_fits_is_counted_in_elements():
    wanted = {
        'backbone.a': torch.zeros(90),
        'decode_head.b': torch.zeros(10),
        'decode_head.b.num_batches_tracked': torch.tensor(0),
    }
    found = fit({'backbone.a': torch.ones(90), 'decode_head.b': torch.ones(9)}, wanted)
    assert found.lost == pytest.approx(0.1)
    assert found.parts == {'backbone': 1.0, 'decode_head': 0.0}
    assert found.misfits == [('decode_head.b', (9,), (10,))]
    assert not found.is_near


WEIGHT = 'decode_head.conv_seg.weight'


@pytest.mark.parametrize(
    ('value', 'own', 'fault'),
    [
        (torch.tensor([1.0, -1e38]), torch.zeros(2), ''),
        (torch.tensor([1, 2]), torch.zeros(2, dtype=torch.int64), ''),
        (torch.tensor([0.0, -torch.inf]), torch.tensor([0.0, -torch.inf]), ''),  # the mask of an attention
        (torch.tensor([torch.inf, -torch.inf]), torch.tensor([0.0, -torch.inf]), 'NaN or infinite numbers'),
        (torch.tensor([torch.nan, 0.0]), torch.zeros(2, dtype=torch.int64), 'NaN or infinite numbers'),
        (torch.tensor([torch.inf], dtype=torch.bfloat16), torch.zeros(1), 'NaN or infinite numbers'),
        (torch.ones(2, dtype=torch.complex64), torch.zeros(2), 'torch.complex64 for torch.float32'),
        (torch.ones(2, dtype=torch.bool), torch.zeros(2), 'torch.bool for torch.float32'),
        (torch.ones(2).to_sparse(), torch.zeros(2), 'a tensor of torch.sparse_coo'),
    ],
)
def test_weights_take_finite_numbers_of_their_own_kind_alone(value, own, fault):
    assert fault_of(value, own) == fault


def test_the_first_tensor_is_named_and_the_others_are_counted():
    own = {name: torch.zeros(2) for name in 'abc'}
    given = {'a': torch.ones(2), 'b': own['b'] + torch.nan, 'c': own['c'] + torch.inf, 'more': torch.ones(1)}
    with pytest.raises(ValueError, match="x.pth, the file, has NaN .* numbers in 'b' and 1 more of its tensors"):
        check_sound(given, own, 'x.pth', 'the file')


def test_networks_that_have_diverged_are_used_nowhere(shapes_folder, tmp_path):
    left, right = segmentor(), segmentor(width=6)
    weights = {name: value.clone() for name, value in left.state_dict().items()}
    weights[WEIGHT].view(-1)[3] = torch.nan
    with pytest.raises(ValueError, match=f"weights.pth, the checkpoint for peer 'left', has NaN .* in {WEIGHT!r}"):
        load_plain_checkpoint('left', left, file_of(tmp_path, {'state_dict': weights}))
    both = {'left.': weights, 'right.': right.state_dict()}
    state = {f'{name}{key}': value for name, of_peer in both.items() for key, value in of_peer.items()}
    path = file_of(tmp_path, {'state_dict': state, 'meta': {}})
    config = run_config(shapes_folder, tmp_path)
    with pytest.raises(ValueError, match=f"weights.pth, load_from, has NaN .* in 'left.{WEIGHT}'"):
        check_run_weights(path, run_weights(wide=False), complete=True)
    with pytest.raises(ValueError, match=f"weights.pth, the checkpoint, has NaN .* in 'left.{WEIGHT}'"):
        init_peers(Config(config.to_dict()), path, device='cpu')
    with pytest.raises(ValueError, match=f"of peer 'left', has NaN .* in {WEIGHT!r}"):
        export_peer(config, torch.load(path), 'left')
    export_peer(config, torch.load(path), 'right')
