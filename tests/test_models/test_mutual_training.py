import copy
import re
import weakref

import pytest
import torch
from mmengine.registry import MODEL_WRAPPERS, MODELS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from toys.segmentation import toy_segmentor

from mmdmt.engine import PeerOptimWrapperConstructor
from mmdmt.models import DynamicMutualLoss, DynamicMutualTraining
from mmdmt.models.segmentors import stack_maps

pytestmark = pytest.mark.usefixtures('mmseg_scope')
SGD = {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.01}}


def build(*names, **settings):
    torch.manual_seed(0)
    peers = {name: toy_segmentor(width=4 + 2 * i, mean=100.0 + i) for i, name in enumerate(names)}
    return MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': peers, **settings})


def sample_of(peer=None, size=(32, 32), confidence=None, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.randint(3, (1, *size), generator=generator)))
    sample.set_metainfo({'img_shape': size, 'ori_shape': size, **({'peer': peer} if peer else {})})
    if confidence is not None:
        sample.pseudo_confidence = PixelData(data=torch.full((1, *size), confidence))
    return sample


def image_of(size=(32, 32), seed=0):
    return torch.randint(256, (3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def batch_for(*samples):
    return {'inputs': [image_of(seed=i) for i in range(len(samples))], 'data_samples': list(samples)}


def two_images_each(model, confidence=0.5):
    return batch_for(*(sample_of(n, confidence=c) for n in model.peer_names for c in (None, confidence)))


def test_the_loss_replaces_the_cross_entropy_of_every_head():
    model = build('a', 'b', loss={'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 3.0, 'gamma_disagree': 2.0})
    for peer in model.peers.values():
        for head, weight in ((peer.decode_head, 1.0), (peer.auxiliary_head, 0.4)):
            assert isinstance(head.loss_decode, DynamicMutualLoss)
            assert (head.loss_decode.gamma_agree, head.loss_decode.gamma_disagree) == (3.0, 2.0)
            assert head.loss_decode.loss_weight == weight


def test_a_configs_preprocessor_is_for_peers_without_their_own():
    bare = toy_segmentor()
    shared = {**bare.pop('data_preprocessor'), 'mean': [1.0] * 3}
    model = DynamicMutualTraining(peers={'a': bare, 'b': toy_segmentor(mean=2.0)}, data_preprocessor=shared)
    assert [peer.data_preprocessor.mean.flatten()[0].item() for peer in model.peers.values()] == [1.0, 2.0]


def test_the_ring_of_teaching():
    assert build('a').labelers == {'a': 'a'}
    assert build('a', 'b').labelers == {'a': 'b', 'b': 'a'}
    assert build('a', 'b', 'c').labelers == {'a': 'b', 'b': 'c', 'c': 'a'}


def test_a_step_trains_every_peer_on_its_own_images_alone():
    model = build('a', 'b')
    alone = copy.deepcopy(model)
    optimizers = PeerOptimWrapperConstructor(SGD)(model)
    batch = two_images_each(model)
    torch.manual_seed(1)
    model.train_step(batch, optimizers)
    # The same images in a plain optimization of the first peer.
    peer = alone.bare_peers['a']
    optimizer = torch.optim.SGD(peer.parameters(), 0.01)
    own = {key: values[:2] for key, values in batch.items()}
    torch.manual_seed(1)
    data = peer.data_preprocessor(own, True)
    confidence = stack_maps(data['data_samples'], 'pseudo_confidence', float('inf'))
    losses = [head.loss_decode for head in (peer.decode_head, peer.auxiliary_head)]
    with losses[0].pseudo_targets(confidence), losses[1].pseudo_targets(confidence):
        peer.parse_losses(peer(**data, mode='loss'))[0].backward()
    optimizer.step()
    for key, value in peer.state_dict().items():
        assert value.equal(model.bare_peers['a'].state_dict()[key]), key


def test_the_log_has_each_peers_losses_and_agreement_and_their_sum():
    model = build('a', 'b')
    log = model.train_step(two_images_each(model), PeerOptimWrapperConstructor(SGD)(model))
    for name in ('a', 'b'):
        for key in ('decode.loss_dmt', 'decode.acc_seg', 'aux.loss_dmt', 'mean_weight', 'disagreement', 'learner_wins'):
            assert f'{name}.{key}' in log
        assert 0.5 <= log[f'{name}.mean_weight'] <= 1  # half the pixels are ground truth
    losses = [value for key, value in log.items() if key.endswith('loss_dmt')]
    torch.testing.assert_close(log['loss'], sum(losses))
    assert not any(value.requires_grad for value in log.values())
    plain = model.train_step(batch_for(*map(sample_of, 'aabb')), PeerOptimWrapperConstructor(SGD)(model))
    assert not any('mean_weight' in key for key in plain)
    with pytest.raises(ValueError, match='mmdmt.MutualDataset'):
        model.train_step(batch_for(sample_of()), PeerOptimWrapperConstructor(SGD)(model))


def test_a_step_works_under_autocast():
    model = build('a', 'b')
    optimizers = PeerOptimWrapperConstructor(SGD)(model)
    before = model.a.decode_head.conv_seg.weight.detach().clone()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        log = model.train_step(two_images_each(model), optimizers)
    assert all(value.isfinite().all() for value in log.values())
    after = model.a.decode_head.conv_seg.weight
    assert after.dtype == torch.float32
    assert not after.equal(before)


def test_confidence_is_infinite_for_ground_truth_and_zero_outside_a_map():
    samples = [sample_of(), sample_of(size=(32, 32))]
    samples[1].pseudo_confidence = PixelData(data=torch.full((1, 20, 30), 0.25))
    confidence = stack_maps(samples, 'pseudo_confidence', float('inf'))
    assert confidence[0].isinf().all()
    assert (confidence[1, :20, :30] == 0.25).all()
    assert (confidence[1, 20:] == 0).all()
    assert (confidence[1, :, 30:] == 0).all()


def test_prediction_gives_every_peer_and_the_mean_softmax():
    model, batch = build('a', 'b').eval(), batch_for(sample_of())
    (result,) = model.test_step(batch)
    assert 'pred_sem_seg' not in batch['data_samples'][0]
    probabilities = []
    for name, peer in model.peers.items():
        (alone,) = peer.test_step(batch_for(sample_of()))
        assert alone.pred_sem_seg.data.equal(result.peers.get(name).pred_sem_seg.data)
        probabilities.append(alone.seg_logits.data.softmax(0))
    mean = sum(probabilities) / 2
    torch.testing.assert_close(result.seg_logits.data.softmax(0), mean)
    assert result.pred_sem_seg.data.equal(mean.argmax(0, keepdim=True))
    assert result.peers.ensemble.pred_sem_seg.data.equal(result.pred_sem_seg.data)
    large = {'inputs': [image_of((50, 37))], 'data_samples': [sample_of(size=(50, 37))]}
    (result,) = build('a', 'b', predict='b').eval().val_step(large)
    assert result.pred_sem_seg.data.equal(result.peers.b.pred_sem_seg.data)
    assert result.pred_sem_seg.shape == (50, 37)


def test_checkpoints_are_the_same_with_and_without_distributed_wrappers():
    @MODEL_WRAPPERS.register_module(name='ToyWrapper', force=True)
    class ToyWrapper(torch.nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    plain, wrapped = build('a', 'b'), build('a', 'b')
    wrapped.a = ToyWrapper(wrapped.a)
    assert list(wrapped.state_dict()) == list(plain.state_dict())  # in the same order
    weights = {re.sub(r'^a\.', 'a.module.', key): value for key, value in plain.state_dict().items()}
    fresh = build('a', 'b')
    for parameter in fresh.parameters():
        parameter.data.zero_()
    fresh.load_state_dict(weights)
    for key, value in plain.state_dict().items():
        assert value.equal(fresh.state_dict()[key]), key


def head_with(**settings):
    config = toy_segmentor()
    config['decode_head'].update(settings)
    return config


def point_rend():
    config = toy_segmentor()
    config.pop('auxiliary_head')
    head = {'type': 'PointHead', 'in_channels': [8], 'in_index': [1], 'channels': 8, 'num_fcs': 1, 'num_classes': 3}
    sampling = {'num_points': 64, 'oversample_ratio': 3, 'importance_sample_ratio': 0.75}
    cascade = {'type': 'CascadeEncoderDecoder', 'num_stages': 2, 'decode_head': [config['decode_head'], head]}
    return {**config, **cascade, 'train_cfg': sampling}


@pytest.mark.parametrize(
    ('config', 'words'),
    [
        (head_with(loss_decode={'type': 'DiceLoss'}), r'decode_head \(FCNHead\) of peer .a. computes DiceLoss'),
        (head_with(loss_decode=[{'type': 'CrossEntropyLoss'}, {'type': 'DiceLoss'}]), 'adds up 2 losses'),
        (head_with(num_classes=2, out_channels=1), 'out_channels=1'),
        (point_rend(), r'decode_head\[1\] \(PointHead\) of peer .a. .* at sampled points'),
        ({'type': 'mmdmt.DynamicMutualLoss'}, 'DynamicMutualLoss, which has no decode_head and no head'),
    ],
)
def test_what_has_no_pixel_cross_entropy_is_refused(config, words):
    with pytest.raises(ValueError, match=words):
        DynamicMutualTraining(peers={'a': config})


def test_the_loss_of_k_net_is_replaced_where_it_is():
    config, channels = toy_segmentor(), {'in_channels': 8, 'out_channels': 8}
    relu, norm = {'type': 'ReLU', 'inplace': True}, {'type': 'LN'}
    updator = {'type': 'KernelUpdator', **channels, 'feat_channels': 8, 'act_cfg': relu, 'norm_cfg': norm}
    update = {
        'type': 'KernelUpdateHead',
        **channels,
        **{'num_classes': 3, 'num_ffn_fcs': 2, 'num_heads': 2, 'num_mask_fcs': 1, 'feedforward_channels': 16},
        'conv_kernel_size': 1,
        'ffn_act_cfg': relu,
        'feat_transform_cfg': {'conv_cfg': {'type': 'Conv2d'}, 'act_cfg': None},
        'kernel_updator_cfg': updator,
    }
    inner = config['decode_head']
    config['decode_head'] = {
        'type': 'IterativeDecodeHead',
        'num_stages': 1,
        'kernel_update_head': [update],
        'kernel_generate_head': inner,
    }
    model = DynamicMutualTraining(peers={'a': config})
    assert isinstance(model.a.decode_head.kernel_generate_head.loss_decode, DynamicMutualLoss)
    log = model.train_step(two_images_each(model), PeerOptimWrapperConstructor(SGD)(model))
    assert {'a.decode.loss_dmt.s0', 'a.decode.loss_dmt.s1', 'a.disagreement'} <= set(log)


@pytest.mark.parametrize('confidence', [None, 0.5])
def test_the_hardest_pixels_are_those_of_the_highest_weighted_loss(confidence):
    sampler = {'type': 'OHEMPixelSampler', 'min_kept': 100}
    model = DynamicMutualTraining(peers={'a': head_with(sampler=sampler)})
    head = model.a.decode_head
    logits, label = torch.randn(2, 3, 16, 16), torch.randint(3, (2, 16, 16))
    label[0, :4] = 255
    each = torch.nn.functional.cross_entropy(logits, label, reduction='none', ignore_index=255)
    if confidence is None:
        kept = head.sampler.sample(logits, label.unsqueeze(1))
    else:
        held = torch.full(label.shape, confidence)
        with head.loss_decode.pseudo_targets(held):
            kept = head.sampler.sample(logits, label.unsqueeze(1))
        probability, prediction = logits.softmax(1).max(1)
        own = logits.softmax(1).gather(1, label.where(label != 255, 0).unsqueeze(1)).squeeze(1)
        wins = (prediction != label) & (probability > confidence)
        each = each * own**5 * ~wins
    assert kept.sum() == 200
    assert each[kept.bool()].min() >= each[~kept.bool() & (label != 255)].max()


@pytest.mark.parametrize('weights', [[1.0, 2.0], [1.0] * 4])
def test_class_weights_of_another_number_of_classes_are_refused(weights):
    said = rf'class_weight=.* of peer .a. has {len(weights)} entries, but 3 classes are predicted: give model.loss'
    of_head = head_with(loss_decode={'type': 'CrossEntropyLoss', 'class_weight': weights})
    own = head_with(loss_decode={'type': 'mmdmt.DynamicMutualLoss', 'class_weight': weights})
    for peer in (of_head, own):
        with pytest.raises(ValueError, match=said):
            MODELS.build({'type': 'mmdmt.DynamicMutualTraining', 'peers': {'a': peer}})
    loss = {'type': 'mmdmt.DynamicMutualLoss', 'class_weight': weights}
    with pytest.raises(ValueError, match=said):
        build('a', loss=loss)


def test_class_weights_and_own_exponents_of_a_head_stay():
    weighted = head_with(loss_decode={'type': 'CrossEntropyLoss', 'class_weight': [1, 2, 3], 'loss_weight': 0.5})
    own = head_with(loss_decode={'type': 'mmdmt.DynamicMutualLoss', 'gamma_agree': 1.0, 'loss_weight': 0.7})
    model = DynamicMutualTraining(peers={'a': weighted, 'b': own}, loss={'type': 'mmdmt.DynamicMutualLoss'})
    loss = model.a.decode_head.loss_decode
    assert (loss.class_weight.tolist(), loss.loss_weight, loss.gamma_agree) == ([1, 2, 3], 0.5, 5.0)
    loss = model.b.decode_head.loss_decode
    assert (loss.class_weight, loss.loss_weight, loss.gamma_agree) == (None, 0.7, 1.0)


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'peers': {'ensemble': toy_segmentor()}}, "'ensemble' cannot name a peer"),
        ({'peers': {'train_step': toy_segmentor()}}, "'train_step' cannot name a peer"),
        ({'peers': {'my-peer': toy_segmentor()}}, "'my-peer' cannot name a peer"),
        ({'peers': {'a': toy_segmentor()}, 'predict': 'b'}, "is 'b' in predict"),
    ],
)
def test_wrong_peers_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        DynamicMutualTraining(**settings)


def test_the_raw_output_of_each_peer_can_be_had_and_no_other_mode():
    model = build('a', 'b').eval()
    outputs = model(torch.zeros(1, 3, 32, 32))
    assert {name: tuple(output.shape[:2]) for name, output in outputs.items()} == {'a': (1, 3), 'b': (1, 3)}
    with pytest.raises(ValueError, match="mode='loss'"):
        model(torch.zeros(1, 3, 32, 32), mode='loss')


def test_only_one_peers_activations_are_alive_at_a_time():
    model = build('a', 'b')
    present, kept, seen = [], weakref.WeakSet(), set()

    class Kept:
        def __init__(self, tensor):
            self.tensor, self.peer = tensor, present[-1]

    def keep(tensor):
        kept.add(holder := Kept(tensor))
        seen.add(frozenset(other.peer for other in kept))
        return holder

    for name, peer in model.peers.items():
        peer.backbone.register_forward_pre_hook(lambda *_, name=name: present.append(name))
    optimizers = PeerOptimWrapperConstructor(SGD)(model)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda holder: holder.tensor):
        model.train_step(two_images_each(model), optimizers)
    assert seen == {frozenset('a'), frozenset('b')}


def test_channels_last_changes_the_layout_of_weights_and_not_the_losses():
    plain, last = build('a', 'b'), build('a', 'b', channels_last=True)
    last.load_state_dict(plain.state_dict())  # as from a checkpoint, which keeps the layout of the model
    batch = two_images_each(plain)
    losses = [step(model, batch) for model in (plain, last)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    kernels = [weight for weight in last.parameters() if weight.ndim == 4 and min(weight.shape[1:]) > 1]
    assert kernels
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels)
    kernels = [weight for weight in last.to('meta').parameters() if weight.ndim == 4]  # as on a GPU
    assert all(weight.is_contiguous() for weight in kernels)


def step(model, batch):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0  # which draws other places in the other layout
    wrappers = PeerOptimWrapperConstructor(SGD)(model)
    log = model.train_step(copy.deepcopy(batch), wrappers)
    return {name: float(value) for name, value in log.items() if 'loss' in name}


def test_dpt_head_takes_the_maps_of_a_vision_transformer():
    head = {'type': 'DPTHead', 'in_channels': [8] * 4, 'in_index': [0, 1, 2, 3], 'embed_dims': 8, 'channels': 4}
    head |= {'input_transform': 'multiple_select', 'post_process_channels': [4] * 4, 'num_classes': 3}
    head = MODELS.build({**head, 'norm_cfg': {'type': 'BN'}})
    neck = MODELS.build({'type': 'mmdmt.NoClassToken'})
    maps = [torch.randn(2, 8, 6, 6) for _ in range(4)]
    assert all(pair[0] is features and pair[1] is None for pair, features in zip(neck(maps), maps, strict=True))
    logits = head(neck(maps))
    assert logits.shape == (2, 3, 48, 48)
    logits.sum().backward()
