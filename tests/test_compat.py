"""The cures of mmdmt.compat, each through what a user would meet without it."""

import importlib.metadata
import importlib.util
import io
import os
import pickle
import struct
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from types import SimpleNamespace

import cv2
import mmcv
import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel, revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from torch import nn
from toys.forked import python_in_two_ranks

import mmdmt
from mmdmt import compat

ROOT = Path(__file__).parents[1]
PYTHONPATH = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])])
ON_CPU = {**os.environ, 'CUDA_VISIBLE_DEVICES': '', 'OMP_NUM_THREADS': '1', 'PYTHONPATH': PYTHONPATH}

needs_torch_2_6 = pytest.mark.skipif(
    not hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint'), reason='torch.load takes anything by default'
)
needs_mmcv_lite = pytest.mark.skipif(
    importlib.util.find_spec('mmcv._ext') is not None, reason='full mmcv has its extension'
)


@pytest.fixture(autouse=True)
def no_scope_left():
    """A Runner sets the default scope of its process, which the tests after it would build in."""
    yield
    DefaultScope._instance_dict.clear()


# --- packages -------------------------------------------------------------------------------------------------------

OPENMMLAB = {'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmsegmentation': '1.2.2', 'mmpretrain': '1.2.0'}
ONEDL = {'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6', 'onedl-mmsegmentation': '1.4.2'}
MODULES = {'mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'ftfy', 'regex'}


def check_packages(monkeypatch, distributions, modules):
    """Check as if exactly these distributions and modules were installed."""

    def version(name):
        if name not in distributions:
            raise importlib.metadata.PackageNotFoundError(name)
        return distributions[name]

    monkeypatch.setattr(importlib.metadata, 'version', version)
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: object() if name in modules else None)
    mmdmt._check_packages()


@pytest.mark.parametrize(
    ('distributions', 'modules'),
    [
        pytest.param(OPENMMLAB, MODULES, id='openmmlab'),
        pytest.param({**OPENMMLAB, 'mmcv-lite': '2.0.0rc4'}, MODULES, id='oldest mmcv'),
        pytest.param(ONEDL, MODULES, id='onedl'),
        pytest.param({}, MODULES, id='source trees'),
        pytest.param(OPENMMLAB, MODULES - {'mmpretrain'}, id='mmseg alone'),
        pytest.param(OPENMMLAB, MODULES - {'mmseg'}, id='mmpretrain alone'),
    ],
)
def test_supported_packages_are_accepted(monkeypatch, distributions, modules):
    check_packages(monkeypatch, distributions, modules)


@pytest.mark.parametrize(
    ('changed', 'missing', 'told'),
    [
        ({'mmengine': '0.10.6'}, set(), 'mmengine >=0.10.7,<0.11 but found mmengine 0.10.6'),
        ({'mmengine': '0.11.0'}, set(), 'mmengine >=0.10.7,<0.11 but found mmengine 0.11.0'),
        ({'mmcv-lite': '2.2.0'}, set(), 'mmcv-lite >=2.0.0rc4,<2.2.0 but found mmcv-lite 2.2.0'),
        ({'mmcv-lite': '2.0.0rc3'}, set(), 'mmcv-lite >=2.0.0rc4,<2.2.0 but found mmcv-lite 2.0.0rc3'),
        ({'mmcv': '1.7.2'}, set(), 'mmcv >=2.0.0rc4,<2.2.0 but found mmcv 1.7.2'),
        ({'mmsegmentation': '1.1.2'}, set(), 'mmsegmentation >=1.2,<1.3 but found mmsegmentation 1.1.2'),
        ({'mmpretrain': '1.1.1'}, set(), 'mmpretrain >=1.2,<2 but found mmpretrain 1.1.1'),
        ({}, {'mmengine'}, 'mmengine but found none'),
        ({}, {'mmcv'}, 'mmcv but found none'),
        ({}, {'regex'}, 'regex for mmsegmentation but found none'),
        ({}, {'mmseg', 'mmpretrain'}, 'mmseg or mmpretrain but found none'),
    ],
)
def test_missing_and_unsupported_packages_are_refused_with_a_sentence(monkeypatch, changed, missing, told):
    with pytest.raises(ImportError) as error:
        check_packages(monkeypatch, {**OPENMMLAB, **changed}, MODULES - missing)
    assert str(error.value) == f'mmdmt needs {told}: run `pip install "mmdmt[openmmlab]"`.'


# --- apply ----------------------------------------------------------------------------------------------------------


def test_second_apply_changes_nothing():
    def patched():
        functions = mmcv.adjust_hue, mmengine.utils.get_installed_path, mmengine.dist.utils._init_dist_pytorch
        return functions, list(sys.meta_path), set(torch.serialization.get_safe_globals())

    before = patched()
    compat.apply()
    assert patched() == before


@pytest.mark.process
def test_fresh_interpreter_imports_mmdmt_cheaply_and_mmseg_after_it():
    script = """
        import sys
        import mmengine.hub.hub                     # loaded before mmdmt: holds mmengine's functions by name
        import mmdmt
        cheap = {'mmseg', 'mmpretrain', 'torchvision', 'scipy.interpolate'}.isdisjoint(sys.modules)
        assert cheap, 'import mmdmt imports more than torch, mmcv and mmengine'
        assert 'mmcv._ext' not in sys.modules
        assert mmengine.hub.hub.get_installed_path is mmengine.utils.get_installed_path
        from mmengine.config.utils import MODULE2PACKAGE
        mmengine.hub.hub.get_installed_path(MODULE2PACKAGE['mmseg'])

        import mmseg.models, mmpretrain.models
        from mmcv.utils import collect_env
        print(collect_env()['MMCV Compiler'])
    """
    run = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(script)], env=ON_CPU, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    if importlib.util.find_spec('mmcv._ext') is None:
        assert run.stdout.splitlines()[-1] == 'n/a'


# --- mmcv-lite ------------------------------------------------------------------------------------------------------


@needs_mmcv_lite
@pytest.mark.parametrize(
    ('op', 'call'),
    [
        ('nms', lambda ops: ops.nms(torch.rand(3, 4), torch.rand(3), 0.5)),
        ('sigmoid_focal_loss_forward', lambda ops: ops.sigmoid_focal_loss(torch.rand(2, 3), torch.tensor([0, 1]))),
        ('psamask_forward', lambda ops: ops.PSAMask('collect', (3, 3))(torch.rand(1, 9, 3, 3))),
    ],
)
def test_compiled_op_names_itself_and_full_mmcv_when_called(op, call):
    import mmcv.ops

    with pytest.raises(RuntimeError, match=rf'^{op} .* full mmcv'):
        call(mmcv.ops)


@needs_mmcv_lite
def test_no_trace_of_a_compiled_extension_is_left():
    assert 'mmcv._ext' not in sys.modules
    assert not hasattr(mmcv, '_ext')
    converted = revert_sync_batchnorm(nn.Sequential(nn.SyncBatchNorm(2)))  # asks for the extension's spec
    assert not isinstance(converted[0], nn.SyncBatchNorm)


# --- checkpoints ----------------------------------------------------------------------------------------------------


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 2, 1), nn.SyncBatchNorm(2))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return {'loss': self.layers(torch.stack(list(inputs))).square().mean()}


def build_runner(work_dir, **changed):
    settings = {
        'model': Toy(),
        'work_dir': str(work_dir),
        'train_dataloader': {
            'dataset': [{'inputs': torch.full((1, 2, 2), float(i))} for i in range(4)],
            'batch_size': 2,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'collate_fn': {'type': 'pseudo_collate'},
        },
        'train_cfg': {'by_epoch': False, 'max_iters': 2},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}},
        'param_scheduler': {'type': 'PolyLR', 'by_epoch': False},
        'default_hooks': {'checkpoint': {'type': 'CheckpointHook', 'by_epoch': False, 'interval': 2}},
        'default_scope': 'mmengine',
        'experiment_name': Path(work_dir).name,
        'log_level': 'ERROR',
    }
    return Runner(**{**settings, **changed})


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """The file of a real run, with what mmengine keeps in it: histories, numpy scalars and a numpy array."""
    work_dir = tmp_path_factory.mktemp('saved_run')
    runner = build_runner(work_dir)
    runner.message_hub.update_info('best_score', np.float32(0.5))
    runner.message_hub.update_info('class_counts', np.arange(3, dtype=np.int64))
    runner.train()
    return work_dir / 'iter_2.pth'


def test_runner_checkpoint_is_loaded_by_plain_torch_load(checkpoint):
    hub = torch.load(checkpoint)['message_hub']
    history = hub['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert len(history.data[0]) == 2
    assert history.statistics('mean') == pytest.approx(history.data[0].mean())
    assert hub['runtime_info']['best_score'] == np.float32(0.5)
    assert hub['runtime_info']['class_counts'].tolist() == [0, 1, 2]


def test_run_is_resumed_from_its_checkpoint(checkpoint, tmp_path):
    runner = build_runner(
        tmp_path, load_from=str(checkpoint), resume=True, train_cfg={'by_epoch': False, 'max_iters': 3}
    )
    runner.train()
    assert runner.iter == 3
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == 3


@pytest.mark.parametrize('dtype', ['bool', 'int8', 'uint8', 'int64', 'float16', 'float32', 'float64'])
def test_numpy_numbers_are_loaded_under_both_names_of_numpy_core(dtype):
    stream = io.BytesIO()
    torch.save(
        {'array': np.ones(2, dtype), 'scalar': np.ones(1, dtype)[0]}, stream, _use_new_zipfile_serialization=False
    )
    for core in (b'numpy.core', b'numpy._core'):
        file = stream.getvalue().replace(b'numpy._core', b'numpy.core').replace(b'numpy.core', core)
        assert core + b'.multiarray' in file
        loaded = torch.load(io.BytesIO(file))
        assert loaded['array'].dtype == loaded['scalar'].dtype == dtype
        assert loaded['array'].tolist() == [1, 1]
        assert loaded['scalar'] == 1


class Call:
    """Pickles as a call of ``function``, which is how a file makes its reader run code."""

    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced

    def __call__(self):
        """Pickle wants something callable where one call's result is called by another."""


ATTACKS = {
    'a shell command': lambda command: Call(os.system, command),
    'eval': lambda command: Call(eval, f'__import__("os").system({command!r})'),
    'getattr on a module': lambda command: Call(Call(getattr, Call(__import__, 'os'), 'system'), command),
    'getattr on a function': lambda _: Call(getattr, HistoryBuffer.mean, '__globals__'),
    'getattr on the class for more than statistics': lambda _: Call(getattr, HistoryBuffer, '__init__'),
    'getattr on another class': lambda _: Call(getattr, np.ndarray, 'tofile'),
    'a statistic that is called': lambda _: Call(HistoryBuffer.mean, HistoryBuffer([1], [1])),
    'an array of objects': lambda command: np.array([Call(os.system, command)], dtype=object),
    'an array of pointers': lambda _: np.array([None], dtype=object),
}


@needs_torch_2_6
@pytest.mark.parametrize('attack', ATTACKS.values(), ids=ATTACKS)
def test_checkpoint_that_runs_code_is_refused(attack, tmp_path):
    witness = tmp_path / 'witness'
    file = tmp_path / 'attack.pth'
    with file.open('wb') as stream:
        torch.save({'state_dict': {}, 'meta': attack(f'touch {witness}')}, stream)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file)
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(Toy(), str(file))
    assert not witness.exists()


def pickled_dtype(code, state=b''):
    """The bytes by which a file names a dtype and, if given, restores its state."""
    name = b'X' + struct.pack('<I', len(code)) + code.encode()
    return b'cnumpy\ndtype\n' + name + b'\x89\x88\x87R' + state


FIELD = (
    b'(K\x03X\x01\x00\x00\x00<NX\x01\x00\x00\x00a\x85}X\x01\x00\x00\x00a'
    + pickled_dtype('O8')
    + b'K\x00\x86sK\x08K\x08K\x00tb'
)


@needs_torch_2_6
@pytest.mark.parametrize(
    'forged', [pickled_dtype('f8', FIELD), pickled_dtype('O8'), pickled_dtype('f8,O')], ids=['field', 'object', 'both']
)
def test_a_dtype_that_holds_pointers_is_refused(forged):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('archive/data.pkl', b'\x80\x02}X\x01\x00\x00\x00a' + forged + b's.')
        archive.writestr('archive/byteorder', 'little')
        archive.writestr('archive/version', '3\n')
    with pytest.raises(pickle.UnpicklingError, match='not allowed in a checkpoint'):
        torch.load(io.BytesIO(file.getvalue()), weights_only=True)


@needs_torch_2_6
def test_an_array_of_a_checkpoint_is_written_again_as_an_ordinary_one():
    file, again = io.BytesIO(), io.BytesIO()
    torch.save({'array': np.arange(3, dtype='>i4')}, file)
    torch.save(torch.load(io.BytesIO(file.getvalue())), again)
    loaded = torch.load(io.BytesIO(again.getvalue()))['array']
    assert b'mmdmt' not in again.getvalue()
    assert loaded.tolist() == [0, 1, 2]


def test_torch_that_loads_anything_by_default_is_left_alone(monkeypatch):
    monkeypatch.delattr(torch.serialization, 'get_unsafe_globals_in_checkpoint', raising=False)
    monkeypatch.delattr(torch.serialization, 'add_safe_globals', raising=False)
    compat._load_history_in_checkpoints()


@needs_torch_2_6
def test_fallback_to_unsafe_loading_is_taken_away_from_mmengine(monkeypatch):
    from mmengine.runner import checkpoint

    monkeypatch.setattr(checkpoint, '_safe_torch_load', lambda *args, **kwargs: 'anything', raising=False)
    compat._load_history_in_checkpoints()
    assert checkpoint._safe_torch_load is torch.load


# --- packages without pkg_resources ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('package', 'base', 'key'),
    [
        ('mmseg', '_base_/default_runtime.py', 'env_cfg'),
        ('mmseg', '_base_/models/fcn_r50-d8.py', 'model'),
        ('mmpretrain', '_base_/default_runtime.py', 'default_scope'),
    ],
)
def test_config_takes_a_base_from_another_package(tmp_path, package, base, key):
    config = tmp_path / 'config.py'
    config.write_text(f"_base_ = ['{package}::{base}']\n")
    assert key in Config.fromfile(config)


def test_a_base_of_ours_is_as_the_users_own_and_others_keep_their_scope(tmp_path):
    config = tmp_path / 'config.py'
    name = 'polyps/dmt_deeplabv3plus-r50_segformer-b0_1xb8_kvasir-seg-1of8-352x352.py'
    config.write_text(f"_base_ = 'mmdmt::{name}'\n")
    assert Config.fromfile(config).to_dict() == Config.fromfile(ROOT / 'configs' / name).to_dict()
    config.write_text("_base_ = 'mmseg::_base_/models/fcn_r50-d8.py'\n")
    assert Config.fromfile(config).model._scope_ == 'mmseg'


def test_source_tree_without_distribution_is_found_a_bare_folder_is_not(tmp_path, monkeypatch):
    (tmp_path / 'house_of_configs').mkdir()
    (tmp_path / 'house_of_configs' / '__init__.py').touch()
    (tmp_path / 'bare_folder').mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert compat._get_installed_path('house_of_configs') == str(tmp_path / 'house_of_configs')
    for absent in ('bare_folder', 'no_such_package'):
        assert not compat._is_installed(absent)
        with pytest.raises(ImportError, match=absent):
            compat._get_installed_path(absent)


def test_mmseg_is_found_where_no_mmsegmentation_is_installed(monkeypatch):
    monkeypatch.setitem(MODULE2PACKAGE, 'mmseg', 'mmsegmentation')
    monkeypatch.setattr(compat, '_is_installed', lambda package: False)
    compat._find_packages_without_pkg_resources()
    assert MODULE2PACKAGE['mmseg'] == 'mmseg'


# --- several processes on the CPU -----------------------------------------------------------------------------------

WORKER = """
    import sys
    import torch
    from mmengine.dist import all_gather, get_backend, get_rank
    from mmengine.model import BaseModel, MMDistributedDataParallel
    from torch import nn

    sys.path.insert(0, 'tests')
    from test_compat import Toy, build_runner

    class Pair(BaseModel):
        def __init__(self):
            super().__init__()
            self.frozen = nn.Sequential(nn.Conv2d(1, 2, 1), nn.SyncBatchNorm(2)).requires_grad_(False)
            self.trained = Toy()

        def forward(self, inputs):
            return self.trained(self.frozen(inputs)[:, :1])['loss']

    set_device = torch.cuda.set_device
    runner = build_runner(sys.argv[1], launcher='pytorch', env_cfg={'dist_cfg': {'backend': 'gloo'}})
    assert torch.cuda.set_device is set_device
    assert get_backend() == 'gloo'
    runner.train()
    assert isinstance(runner.model, MMDistributedDataParallel)
    assert runner.model.device_ids is None
    mine = torch.cat([parameter.detach().flatten() for parameter in runner.model.parameters()])
    assert torch.equal(*all_gather(mine)), 'gradients are not averaged'
    assert not torch.equal(*all_gather(runner.model.module.layers[1].running_mean)), 'both processes saw the same data'

    pair = runner.wrap_model({'type': 'MMSeparateDistributedDataParallel'}, Pair())
    assert isinstance(pair.module.trained, MMDistributedDataParallel)
    pair.train()
    pair.module(torch.full((2, 1, 2, 2), float(get_rank()))).backward()
    gradient = pair.module.trained.module.layers[0].bias.grad
    assert torch.equal(*all_gather(gradient)), 'gradients are not averaged'
    print('done')
"""


@pytest.mark.process
def test_two_gloo_processes_train_a_model_with_sync_batchnorm(tmp_path):
    for worker in python_in_two_ranks('-c', textwrap.dedent(WORKER), tmp_path, cwd=ROOT, **ON_CPU):
        assert worker.returncode == 0, worker.stderr
        assert worker.stdout.splitlines()[-1] == 'done'


def test_processes_with_gpus_are_left_alone(monkeypatch):
    def patched():
        wrappers = mmengine.model.MMDistributedDataParallel, mmengine.model.MMSeparateDistributedDataParallel
        return mmengine.dist.utils._init_dist_pytorch, [wrapper.__init__ for wrapper in wrappers]

    before = patched()
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(mmengine.device, 'get_device', lambda: 'cuda')
    compat._launch_without_cuda()
    compat._wrap_models_on_cpu()
    assert patched() == before


# --- hue ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_hue_turns_both_ways_for_every_byte(backend):
    image = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    for shift in range(-127, 128):
        factor = float((abs(shift) + 0.25) / 255 * np.sign(shift))  # numpy 2 lets its own floats pass
        assert np.array_equal(mmcv.adjust_hue(image, factor, backend), turned(image, shift, backend)), shift


def turned(image, shift, backend):
    if backend == 'cv2':
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL).astype(int)
        hsv[..., 0] += shift
        return cv2.cvtColor((hsv % 256).astype(np.uint8), cv2.COLOR_HSV2BGR_FULL)
    from PIL import Image

    hsv = np.asarray(Image.fromarray(image[..., ::-1]).convert('HSV')).astype(int)
    hsv[..., 0] += shift
    channels = [Image.fromarray(channel) for channel in np.moveaxis((hsv % 256).astype(np.uint8), -1, 0)]
    return np.asarray(Image.merge('HSV', channels).convert('RGB'))[..., ::-1]


@pytest.mark.parametrize('module', [mmcv, mmcv.image, mmcv.image.photometric])
def test_hue_is_corrected_wherever_mmcv_exports_it(module):
    module.adjust_hue(np.zeros((1, 1, 3), np.uint8), -0.1)


# --- scipy and the standard library ---------------------------------------------------------------------------------


def test_interp2d_reproduces_a_bicubic_surface_and_is_constant_beyond_it():
    x, y = np.array([-4.0, -2, -1, 0, 1, 2, 4]), np.array([-3.0, -1, 0, 1, 3])

    def surface(x, y):
        return np.add.outer(y**3 - y, 2 * x**3 + x**2)  # rows are y, as interp2d had it

    interpolate = compat._interp2d(x, y, surface(x, y), kind='cubic')
    inside_x, inside_y = np.linspace(-4, 4, 9), np.linspace(-3, 3, 5)
    np.testing.assert_allclose(interpolate(inside_x, inside_y), surface(inside_x, inside_y), atol=1e-9)
    np.testing.assert_allclose(interpolate([9], [-9]), surface(x[-1:], y[:1]), atol=1e-9)


def test_beit_resizes_its_position_table():
    import mmseg.models  # the table of mmseg's BEiT goes the same way
    from mmpretrain.models.utils.embed import resize_relative_position_bias_table

    table = torch.arange(25.0).view(25, 1).repeat(1, 2)
    resized = resize_relative_position_bias_table(5, 7, table, 2)
    assert resized.shape == (49, 2)
    beit = mmseg.models.BEiT._geometric_sequence_interpolation(None, 5, 7, table, 2)
    torch.testing.assert_close(beit, resized)


def test_working_interp2d_is_left_alone():
    interpolate = SimpleNamespace(interp2d=lambda x, y, z: None)
    before = interpolate.interp2d
    compat._add_interp2d(interpolate)
    assert interpolate.interp2d is before


@pytest.mark.parametrize('module', ['os', 'json', 'os.path', 'math'])
def test_config_may_import_the_standard_library_before_its_base(tmp_path, module):
    (tmp_path / 'base.py').write_text('learning_rate = 0.1\n')
    config = tmp_path / 'config.py'
    config.write_text(f"import {module}\n_base_ = ['base.py']\nmomentum = 0.9\n")
    assert Config.fromfile(config).to_dict() == {'learning_rate': 0.1, 'momentum': 0.9}


def test_third_party_modules_are_not_taken_for_the_standard_library():
    from mmengine.config import utils

    assert utils._is_builtin_module('os')
    assert not utils._is_builtin_module('torch')
    assert not utils._is_builtin_module('.os')
