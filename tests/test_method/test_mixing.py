import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmdmt.method.mixing import Batch, blank_blocks, draw_box, draw_partners, half_of_classes
from mmdmt.mixes import BlockMask, ClassMix, CutMix, build_mixes

CLASSES, PSEUDO, LABELED = 4, [0, 2, 4, 5], [1, 3]
NAMES = ['CutMix always', 'CutMix', 'ClassMix', 'ClassMix at times']


def batch_of(size=(24, 20), images=6):
    """Every color names its image and place; label and confidence follow from the color, so a mix can be traced."""
    generator = np.random.default_rng(0)
    places = torch.arange(images * size[0] * size[1], dtype=torch.float32).view(images, 1, *size) + 1
    label = torch.from_numpy(generator.integers(0, CLASSES + 1, (images, *size)))
    label[label == CLASSES] = 255
    confidence = places[:, 0] / places.max()
    confidence[LABELED] = float('inf')
    weight = (confidence / 2).masked_fill(confidence.isinf(), 1.0)
    return Batch(places.repeat(1, 3, 1, 1), label, confidence, weight)


def trace(batch, mixed):
    """Return, for each pixel of a mix, where in the batch its color comes from."""
    return (mixed.inputs[:, 0] - 1).long()


@pytest.mark.parametrize('seed', range(20))
@pytest.mark.parametrize('mix', [CutMix(prob=1.0), CutMix(), ClassMix(), ClassMix(prob=0.5)], ids=NAMES)
def test_label_and_confidence_come_from_the_image_of_the_color(mix, seed):
    np.random.seed(seed)
    batch = batch_of()
    before = batch.copy()
    mixed = mix(batch, PSEUDO, LABELED, CLASSES)
    source = trace(batch, mixed)
    assert torch.equal(mixed.label, batch.label.flatten()[source])
    assert torch.equal(mixed.confidence, batch.confidence.flatten()[source])
    assert torch.equal(mixed.inputs[LABELED], batch.inputs[LABELED])  # ground truth is never pasted on
    assert all(torch.equal(one, other) for one, other in zip(batch, before, strict=True))


def test_ground_truth_keeps_infinite_confidence_where_it_is_pasted():
    batch = batch_of()
    mixed = ClassMix()(batch, PSEUDO, LABELED, CLASSES)
    pasted = trace(batch, mixed) // (24 * 20) != torch.arange(6).view(-1, 1, 1)
    assert pasted[PSEUDO].any(dim=(1, 2)).all()
    assert mixed.confidence[pasted].isinf().all()
    assert (mixed.label[pasted] != 255).all()


@pytest.mark.parametrize('present', [[0], [0, 2], [1, 2, 3], [0, 1, 2, 3]], ids=str)
def test_half_of_the_classes_that_are_there_are_chosen(present):
    label = torch.tensor(present).repeat_interleave(3).view(1, -1)
    label = torch.cat([label, torch.tensor([[255, 255]])], dim=1)
    chosen = set()
    for seed in range(30):
        np.random.seed(seed)
        mask = half_of_classes(label, CLASSES)
        classes = set(label[mask].tolist())
        assert len(classes) == (len(present) + 1) // 2
        assert torch.equal(mask, torch.isin(label, torch.tensor(sorted(classes))))
        chosen |= classes
    assert chosen == set(present)
    assert not half_of_classes(torch.full((2, 3), 255), CLASSES).any()


def test_boxes_have_the_area_and_aspect_that_are_asked_for():
    boxes = [draw_box((200, 300), (0.02, 0.4), (0.3, 1 / 0.3)) for _ in range(300)]
    for box in boxes:
        rows, columns = box.bottom - box.top, box.right - box.left
        assert 0 <= box.top < box.bottom <= 200
        assert 0 <= box.left < box.right <= 300
        assert rows * columns <= 0.4 * 200 * 300 * 1.02
        assert rows * columns >= 0.02 * 200 * 300 * 0.9
        assert 0.28 < rows / columns < 3.6
    shares = [(b.bottom - b.top) * (b.right - b.left) / 60000 for b in boxes]
    assert 0.15 < np.mean(shares) < 0.25


def test_partners_are_others_and_each_is_given_once():
    for seed in range(10):
        np.random.seed(seed)
        partners = draw_partners(PSEUDO)
        assert sorted(partners) == sorted(partners.values()) == PSEUDO
        assert all(image != partner for image, partner in partners.items())


def test_blocks_are_blanked_in_whole_squares_and_labels_stay():
    batch = batch_of(size=(32, 40))
    masked = blank_blocks(batch, PSEUDO, size=8, share=0.5)
    assert torch.equal(masked.label, batch.label)
    assert torch.equal(masked.inputs[LABELED], batch.inputs[LABELED])
    blank = (masked.inputs[PSEUDO] == 0).view(4, 3, 4, 8, 5, 8)
    assert torch.equal(blank.all(dim=(1, 3, 5)), blank.any(dim=(1, 3, 5)))
    assert 0.3 < blank.float().mean() < 0.7
    kept = masked.inputs != 0
    assert torch.equal(masked.inputs[kept], batch.inputs[kept])


@pytest.mark.parametrize('mix', [CutMix(prob=1.0), ClassMix(), BlockMask(size=4)], ids=lambda mix: type(mix).__name__)
def test_the_numbers_of_the_iteration_decide_the_mix_and_it_waits_for_nothing(mix):
    results = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        results.append(mix(batch_of(), PSEUDO, LABELED, CLASSES).inputs)
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:  # a value that is asked for raises
        batch = Batch(*(mode.from_tensor(part) for part in batch_of()))
        mixed = mix(batch, PSEUDO, LABELED, CLASSES)
    assert mixed.inputs.shape == batch.inputs.shape


@pytest.mark.parametrize(
    ('configs', 'words'),
    [
        ({'type': 'mmdmt.CutMix'}, 'give a list'),
        ([{'prob': 0.5}], 'give a list'),
        ([{'type': 'mmdmt.CutMax'}], "unknown type 'mmdmt.CutMax'"),
        ([{'type': 'mmdmt.DynamicMutualLoss'}], 'must be mixes, got'),
        ([{'type': 'mmdmt.CutMix', 'prob': 1.5}], 'prob=1.5 of CutMix'),
        ([{'type': 'mmdmt.CutMix', 'area': [0.4, 0.02]}], 'area=.* of CutMix: give .least'),
        ([{'type': 'mmdmt.ClassMix', 'prob': '1'}], "prob='1' of ClassMix"),
        ([{'type': 'mmdmt.BlockMask', 'size': 0}], 'size=0 of BlockMask'),
        ([{'type': 'mmdmt.BlockMask', 'share': -1}], 'share=-1 of BlockMask'),
    ],
    ids=str,
)
def test_what_is_no_mix_is_refused(configs, words):
    with pytest.raises(ValueError, match=words):
        build_mixes(configs, 'pixels')
