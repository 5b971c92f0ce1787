"""Kvasir-SEG and networks of today on VOC and Cityscapes, from warm-up to test, made tiny."""

import pytest
from mmengine.config import DictAction
from mmengine.runner import Runner
from test_domain_adaptation import SMALL_BATCH, tiny_peers
from test_kvasir_seg_configs import NAME, make_kvasir
from test_whole_runs import SHORT, train
from toys.tools import run_tool
from toys.voc_and_cityscapes import make_cityscapes, make_voc

from mmdmt.config_table import compose

pytestmark = pytest.mark.whole_run


def crops(side, *peers, step=None):
    """Options that make crops smaller: those of the peers and, by its place in the pipeline, the one that cuts them."""
    options = [f'model.peers.{peer}.data_preprocessor.size=[{side},{side}]' for peer in peers]
    if step is not None:
        options.append(f'train_dataloader.dataset.labeled.pipeline.{step}.crop_size={side}')
    return options


def twice(names, *options):
    return [f'model.peers.{name}.{option}' for name in names for option in options]


HETEROGENEOUS = ('deeplab', 'segformer')
KVASIR = [
    *tiny_peers(),
    *crops(64, *HETEROGENEOUS, step=4),
    'train_dataloader.dataset.unlabeled.pipeline.4.crop_size=64',
    'train_dataloader.dataset.labeled.pipeline.2.scale=(64,64)',
    'train_dataloader.dataset.unlabeled.pipeline.1.scale=(64,64)',
]
PYRAMID = ('in_channels=[16,16,16,16]', 'channels=8', 'norm_cfg.type=BN')
DINOV2 = [
    *SMALL_BATCH,
    *crops(56, 'upernet', 'dpt', step=3),
    *twice(
        ('upernet', 'dpt'),
        'backbone.arch.embed_dims=16',
        'backbone.arch.num_heads=2',
        'backbone.arch.feedforward_channels=16',
        'backbone.init_cfg=None',
        *(f'decode_head.{option}' for option in PYRAMID),
    ),
    'model.peers.upernet.neck.embed_dim=16',
    'model.peers.upernet.neck.norm_cfg.type=BN',
    'model.peers.dpt.decode_head.embed_dims=16',
    'model.peers.dpt.decode_head.post_process_channels=[4,4,8,8]',
]
DINOV3 = [
    *SMALL_BATCH,
    *crops(64, 'vit', 'convnext', step=3),
    *twice(
        ('vit', 'convnext'),
        'backbone.init_cfg=None',
        'test_cfg.crop_size=[32,32]',
        'test_cfg.stride=[16,16]',
        'decode_head.channels=8',
        'decode_head.norm_cfg.type=BN',
    ),
    'train_dataloader.dataset.labeled.pipeline.2.scale=(96,48)',
    'model.peers.vit.backbone.embed_dim=16',
    'model.peers.vit.backbone.num_heads=1',
    'model.peers.vit.neck.embed_dim=16',
    'model.peers.vit.neck.norm_cfg.type=BN',
    'model.peers.vit.decode_head.in_channels=[16,16,16,16]',
    'model.peers.convnext.backbone.dims=[8,8,8,8]',
    'model.peers.convnext.backbone.depths=[1,1,1,1]',
    'model.peers.convnext.decode_head.in_channels=[8,8,8,8]',
]
R101 = [
    *SMALL_BATCH,
    *crops(65, 'left', 'right', step=3),
    *twice(
        ('left', 'right'),
        'pretrained=None',
        *(f'backbone.{option}' for option in ('depth=18', 'stem_channels=4', 'base_channels=4', 'norm_cfg.type=BN')),
        *(f'{head}.norm_cfg.type=BN' for head in ('decode_head', 'auxiliary_head')),
        *(f'decode_head.{option}' for option in ('in_channels=32', 'channels=8', 'c1_in_channels=4', 'c1_channels=4')),
        'auxiliary_head.in_channels=16',
        'auxiliary_head.channels=8',
    ),
]


def write(folder, name):
    """Write a run of the table as `python -m mmdmt config` prints it; return the file."""
    file = folder / 'mine.py'
    file.write_text(run_tool('config.py', name, cwd=folder)[1])
    return file


@pytest.mark.parametrize(
    ('make', 'name', 'tiny'),
    [
        pytest.param(make_kvasir, None, KVASIR, id='kvasir-seg'),
        pytest.param(make_voc, 'dmt_deeplabv3plus-r101_1xb8_voc12aug-unimatch1of8-321x321', R101, id='r101'),
        pytest.param(make_voc, 'dmt_dinov2-s_1xb8_voc12aug-classic92-518x518', DINOV2, id='dinov2'),
        pytest.param(make_cityscapes, 'dmt_dinov3-s_1xb8_cityscapes-unimatch1of16-768x768', DINOV3, id='dinov3'),
    ],
)
def test_dmt_runs_whole_with_networks_that_the_paper_does_not_have(tmp_path, make, name, tiny):
    make(tmp_path)
    config = write(tmp_path, name) if name else f'polyps/{NAME}'
    before = sorted(tmp_path.rglob('*'))
    entries = train(config, tmp_path, *SHORT, *tiny)
    trained = [entry for entry in entries if 'loss' in entry]
    assert len(trained) == 7
    peers = {key.split('.')[0] for key in trained[-1] if key.endswith('.mean_weight')}
    assert len(peers) == 2
    assert {f'{name}/mIoU' for name in (*peers, 'ensemble')} <= set(entries[-1])
    assert ('ensemble/mDice' in entries[-1]) == (make is make_kvasir)
    after = sorted(path for path in tmp_path.rglob('*') if tmp_path / 'work' not in (path, *path.parents))
    assert after == before


OF_RECIPE = [
    'train_dataloader.batch_size=3',
    'custom_hooks.0.warm_up=1',
    'custom_hooks.0.iters=2',
    'custom_hooks.0.labeled=1',
    'custom_hooks.0.pseudo=2',
    'train_cfg.val_interval=3',
]


@pytest.mark.parametrize(
    ('make', 'name', 'tiny'),
    [
        pytest.param(make_voc, 'deeplabv3plus-r101_1xb8_voc12aug-unimatch1of8-321x321', R101, id='r101'),
        pytest.param(make_cityscapes, 'dinov3-s_1xb8_cityscapes-unimatch1of16-768x768', DINOV3, id='dinov3'),
    ],
)
def test_the_recipe_trains_on_labels_of_averages(tmp_path, monkeypatch, make, name, tiny):
    make(tmp_path, unlabeled=3, val=1)
    monkeypatch.chdir(tmp_path)
    config = compose(f'dmt-recipe_{name}')
    options = [option.split('=', 1) for option in (*tiny, *SHORT, *OF_RECIPE)]
    config.merge_from_dict({key: DictAction._parse_iterable(value) for key, value in options})
    config.update(work_dir=str(tmp_path / 'work'), experiment_name=tmp_path.name)
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 3
    averages = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook').ema_model
    assert int(averages.steps) == 3
    assert not list((tmp_path / 'work').rglob('manifest*'))  # no bank
