import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from mmengine.runner import Runner
from mmseg.apis import inference_model
from toys.forked import python
from toys.segmentation import VAL_PIPELINE, run_config, toy_segmentor

from mmdmt.apis import export_peer

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]

# A process in which mmdmt cannot be imported, and nothing but what is exported is at hand.
ELSEWHERE = """
import sys
sys.modules['mmdmt'] = None
sys.path.insert(0, {folder!r})
import numpy as np
import mm_cures
from mmseg.apis import MMSegInferencer, inference_model, init_model
image = np.random.default_rng(0).integers(0, 256, (40, 44, 3)).astype(np.uint8)
for peer in {peers!r}:
    files = {folder!r} + f'/{{peer}}.py', {folder!r} + f'/{{peer}}.pth'
    model, inferencer = init_model(*files, device='cpu'), MMSegInferencer(*files, device='cpu')
    inferred = inferencer(image, return_datasamples=True).seg_logits.data
    out = {folder!r} + f'/{{peer}}.npz'
    np.savez(out, init_model=inference_model(model, image).seg_logits.data, inferencer=inferred)
    for model in (model, inferencer.model):
        assert model.dataset_meta['classes'] == ('ground', 'square', 'disc')
"""


@pytest.fixture(scope='module')
def trained(shapes_folder, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('trained')
    deeplab = toy_segmentor()
    head = {'type': 'mmdmt.DeepLabV2Head', 'in_channels': 8, 'in_index': 1, 'num_classes': 3, 'dilations': (2, 4)}
    deeplab['decode_head'] = {**head, 'align_corners': True, 'loss_decode': {'type': 'CrossEntropyLoss'}}
    settings = {
        'model.peers': {'_delete_': True, 'left': toy_segmentor(), 'right': deeplab},
        'train_cfg.max_iters': 3,
        'custom_hooks.0.phases': [{'iters': 3, 'labeled': 4}],
    }
    config = run_config(shapes_folder, work_dir, **settings)
    config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
    config.test_cfg = {'type': 'TestLoop'}
    Runner.from_cfg(config).train()
    config.dump(work_dir / 'config.py')
    return work_dir, config


def test_exported_peers_predict_the_same_where_mmdmt_is_not_installed(trained, tmp_path, mmseg_scope):
    work_dir, config = trained
    peers = ('left', 'right')
    for peer in peers:
        export = (ROOT / 'tools' / 'export_peer.py', work_dir / 'config.py', work_dir / 'iter_3.pth', '--peer', peer)
        result = python(*export, '--out-dir', tmp_path)
        assert result.returncode == 0, result.stderr
        assert 'mmdmt' not in (tmp_path / f'{peer}.py').read_text()
    code = ELSEWHERE.format(folder=str(tmp_path), peers=peers)
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    model = MODELS.build(config.model)
    model.load_state_dict(torch.load(work_dir / 'iter_3.pth')['state_dict'])
    config.test_pipeline = [{'type': 'LoadImageFromFile'}, {'type': 'PackSegInputs'}]
    image = np.random.default_rng(0).integers(0, 256, (40, 44, 3)).astype(np.uint8)
    for peer in peers:
        original = model.bare_peers[peer].eval()
        original.cfg = config
        expected = inference_model(original, image).seg_logits.data.numpy()
        found = np.load(tmp_path / f'{peer}.npz')
        assert len(found) == 2
        for logits in found.values():
            np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_test_data_of_ours_leave_the_pipeline_that_inference_needs(trained):
    work_dir, config = trained
    config = copy.deepcopy(config)
    resize = {'type': 'Resize', 'scale': (48, 48)}
    steps = [VAL_PIPELINE[0], resize, VAL_PIPELINE[1], {'type': 'mmdmt.EvaluateAtThisSize'}, VAL_PIPELINE[2]]
    config.test_dataloader.dataset.update(type='mmdmt.KvasirSEGDataset', pipeline=steps)
    plain, _ = export_peer(config, torch.load(work_dir / 'iter_3.pth'), 'left')
    assert plain.test_pipeline == [VAL_PIPELINE[0], resize, VAL_PIPELINE[2]]
    assert plain.test_dataloader.to_dict() == {'dataset': {'pipeline': plain.test_pipeline}}
    assert 'test_evaluator' not in plain


def test_nothing_is_overwritten_and_the_ensemble_has_no_plain_config(trained, tmp_path):
    work_dir, _ = trained
    run = work_dir / 'config.py', work_dir / 'iter_3.pth'
    arguments = [ROOT / 'tools' / 'export_peer.py', *run, '--out-dir', tmp_path]
    (tmp_path / 'left.pth').write_text('mine')
    result = python(*arguments, '--peer', 'left')
    assert 'exists and is not overwritten' in result.stderr
    assert (tmp_path / 'left.pth').read_text() == 'mine'
    result = python(*arguments, '--peer', 'ensemble')
    assert 'the ensemble is several: give --onnx FILE' in result.stderr


@pytest.mark.parametrize('fault', ['another network', 'a part of the weights'])
def test_a_checkpoint_that_does_not_fit_is_refused(trained, fault, mmseg_scope):
    work_dir, config = trained
    config, checkpoint = copy.deepcopy(config), torch.load(work_dir / 'iter_3.pth')
    if fault == 'another network':
        config.model.peers.left = toy_segmentor(width=8)
    else:
        del checkpoint['state_dict']['left.decode_head.conv_seg.weight']
    with pytest.raises(
        ValueError, match="does not fit peer 'left' of this config: .*Give the config and a checkpoint of"
    ):
        export_peer(config, checkpoint, 'left')
