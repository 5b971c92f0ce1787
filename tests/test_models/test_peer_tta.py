import pytest
import torch
from mmengine.registry import MODELS
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from toys.segmentation import run_config, toy_segmentor

from mmdmt.models.peer_tta import with_peers

pytestmark = pytest.mark.usefixtures('mmseg_scope')
PEERS = {
    'type': 'mmdmt.DynamicMutualTraining',
    'peers': {'left': toy_segmentor(), 'right': toy_segmentor(width=6, mean=100.0)},
}


def views():
    image = torch.randint(256, (3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    inputs, samples = [], []
    for flip in (False, True):
        sample = SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, 32, 32, dtype=torch.int64)))
        meta = {'img_shape': (32, 32), 'ori_shape': (32, 32), 'img_path': 'a.png', 'flip': flip}
        sample.set_metainfo({**meta, 'flip_direction': 'horizontal'})
        inputs.append([image.flip(2) if flip else image])
        samples.append([sample])
    return {'inputs': inputs, 'data_samples': samples}


def test_peers_are_averaged_over_views_and_the_ensemble_over_peers():
    torch.manual_seed(0)
    model = MODELS.build({'type': 'mmdmt.PeerTTAModel', 'module': PEERS}).eval()
    data = views()
    with torch.no_grad():
        (merged,) = model.test_step(data)
        softmax = {}
        for name, peer in model.module.bare_peers.items():
            of_view = []
            for (image,), (sample,) in zip(data['inputs'], data['data_samples'], strict=True):
                batch = {'inputs': [image], 'data_samples': [sample.new()]}
                (predicted,) = peer(**peer.data_preprocessor(batch, False), mode='predict')
                of_view.append(predicted.seg_logits.data.softmax(0))
            softmax[name] = sum(of_view) / 2
    softmax['ensemble'] = (softmax['left'] + softmax['right']) / 2
    for name, mean in softmax.items():
        assert merged.peers.get(name).pred_sem_seg.data[0].equal(mean.argmax(0)), name
    assert merged.pred_sem_seg.data[0].equal(softmax['ensemble'].argmax(0))
    assert merged.gt_sem_seg.data.equal(data['data_samples'][0][0].gt_sem_seg.data)


def test_a_run_is_tested_on_views(shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path / 'work')
    config.model = dict(type='mmdmt.PeerTTAModel', module=config.model)
    flips = [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)]
    views_of_image = dict(
        type='TestTimeAug', transforms=[flips, [dict(type='LoadAnnotations')], [dict(type='PackSegInputs')]]
    )
    config.val_dataloader.dataset.pipeline = [dict(type='LoadImageFromFile'), views_of_image]
    config.update(test_dataloader=config.val_dataloader, test_evaluator=config.val_evaluator, test_cfg=dict())
    metrics = Runner.from_cfg(config).test()
    assert {f'{name}/mIoU' for name in ('left', 'right', 'ensemble')} <= set(metrics)


def test_the_toolboxs_model_is_refused_with_the_way_out():
    model = MODELS.build({'type': 'SegTTAModel', 'module': PEERS}).eval()
    with pytest.raises(ValueError, match="needs tta_model=dict.type='mmdmt.PeerTTAModel'"), torch.no_grad():
        model.test_step(views())


def test_another_model_is_refused():
    with pytest.raises(ValueError, match='got a EncoderDecoder: take SegTTAModel'):
        MODELS.build({'type': 'mmdmt.PeerTTAModel', 'module': toy_segmentor()})


@pytest.mark.parametrize('kind', ['SegTTAModel', 'mmseg.SegTTAModel', 'mmpretrain.AverageClsScoreTTA'])
def test_our_scripts_put_it_in_place(kind):
    assert with_peers({'type': kind, 'module': dict(PEERS)})['type'] == 'mmdmt.PeerTTAModel'
    assert with_peers({'type': kind, 'module': toy_segmentor()})['type'] == kind
