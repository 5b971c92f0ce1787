import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from toys.segmentation import run_config, toy_segmentor

from mmdmt.apis import init_peers
from mmdmt.apis.export import export_peer
from mmdmt.models.weights import check_sound, fault_of, load_plain_checkpoint

pytestmark = pytest.mark.usefixtures('mmseg_scope')

WEIGHT = 'decode_head.conv_seg.weight'


@pytest.mark.parametrize(
    ('value', 'own', 'fault'),
    [
        (torch.tensor([1.0, -1e38]), torch.zeros(2), ''),
        (torch.tensor([1, 2]), torch.zeros(2, dtype=torch.int64), ''),
        (torch.tensor([0.0, -torch.inf]), torch.tensor([0.0, -torch.inf]), ''),  # the mask of an attention
        (torch.tensor([torch.inf, -torch.inf]), torch.tensor([0.0, -torch.inf]), 'NaN or infinite numbers'),
        (torch.tensor([torch.nan, 0.0]), torch.zeros(2), 'NaN or infinite numbers'),
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
    given = {
        'a': torch.ones(2),
        'b': torch.full((2,), torch.nan),
        'c': torch.full((2,), torch.inf),
        'more': torch.ones(1),
    }
    with pytest.raises(
        ValueError, match="x.pth, the file, has NaN or infinite numbers in 'b' and 1 more of its tensors"
    ):
        check_sound(given, own, 'x.pth', 'the file')


@pytest.fixture
def diverged(tmp_path):
    """A segmentor, and the path of a checkpoint of it with one weight that is NaN."""
    segmentor = MODELS.build(toy_segmentor())
    weights = {name: value.clone() for name, value in segmentor.state_dict().items()}
    weights[WEIGHT].view(-1)[3] = torch.nan
    path = tmp_path / 'diverged.pth'
    torch.save({'state_dict': weights}, path)
    return segmentor, path


def test_a_peer_does_not_start_from_a_network_that_has_diverged(diverged):
    segmentor, path = diverged
    with pytest.raises(ValueError, match=f"diverged.pth, the checkpoint for peer 'left', has NaN .* in '{WEIGHT}'"):
        load_plain_checkpoint('left', segmentor, str(path))


def test_neither_predictions_nor_exports_are_made_of_it(diverged, shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path)
    weights = torch.load(diverged[1])['state_dict']
    right = MODELS.build(toy_segmentor(width=6)).state_dict()
    state = {f'left.{key}': value for key, value in weights.items()}
    state |= {f'right.{key}': value for key, value in right.items()}
    path = tmp_path / 'run.pth'
    torch.save({'state_dict': state, 'meta': {}}, path)
    with pytest.raises(ValueError, match=f"run.pth, the checkpoint, has NaN .* in 'left.{WEIGHT}'"):
        init_peers(Config(config.to_dict()), str(path), device='cpu')
    with pytest.raises(ValueError, match=f"of peer 'left', has NaN .* in '{WEIGHT}'"):
        export_peer(config, torch.load(path), 'left')
    export_peer(config, torch.load(path), 'right')
