import numpy as np
import pytest
import torch
from mmengine.registry import METRICS

CLASSES = ('road', 'wall', 'car', 'bus')
# road: 2 of 3, wall: 0 of 2, car: 1 of 1; bus is nowhere.
TRUTH, PREDICTION = [0, 0, 0, 1, 2], [0, 0, 1, 255, 2]

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def build(subsets, **settings):
    metric = METRICS.build({'type': 'mmdmt.SubsetIoUMetric', 'subsets': subsets, **settings})
    metric.dataset_meta = {'classes': CLASSES}
    return metric


def sample(truth=TRUTH, prediction=PREDICTION):
    return {
        name: {'data': torch.tensor(label).reshape(1, 1, -1)}
        for name, label in (('gt_sem_seg', truth), ('pred_sem_seg', prediction))
    }


def evaluate(metric):
    metric.process({}, [sample()])
    return metric.evaluate(1)


def test_means_over_subsets_stand_beside_the_other_results_of_the_toolbox():
    results = evaluate(build({'mIoU2': ['car', 'road'], 'walls': ['wall']}, iou_metrics=['mIoU', 'mDice']))
    assert results['mIoU2'] == pytest.approx(100 * np.mean([1, 2 / 3]), abs=0.01)
    assert results['walls'] == 0
    assert results['mIoU'] == pytest.approx(100 * np.mean([2 / 3, 0, 1]), abs=0.01)
    assert {'mDice', 'aAcc'} <= set(results)
    metric = build({'roads': ['road']})  # a wall that is taken for road lowers the IoU of road
    metric.process({}, [sample([0, 1, 1, 1], [0, 0, 0, 0])])
    assert metric.evaluate(1)['roads'] == 25


def test_a_subset_of_all_classes_is_their_mean_without_absent_classes():
    results = evaluate(build({'all': list(CLASSES), 'three': ['road', 'wall', 'car']}))
    assert results['all'] == results['three'] == results['mIoU']
    counted = evaluate(build({'all': list(CLASSES)}, nan_to_num=0))
    assert counted['all'] == counted['mIoU'] < results['all']


def test_peers_have_subsets_each():
    metric = METRICS.build(
        {'type': 'mmdmt.PeerMetric', 'metric': {'type': 'mmdmt.SubsetIoUMetric', 'subsets': {'mIoU1': ['car']}}}
    )
    metric.dataset_meta = {'classes': CLASSES}
    good, bad = sample(), sample(prediction=[0] * 5)
    peers = {'left': good, 'right': bad, 'ensemble': good}
    predictions = {name: {'pred_sem_seg': sample['pred_sem_seg']} for name, sample in peers.items()}
    metric.process({}, [{**good, 'peers': predictions}])
    results = metric.evaluate(1)
    assert [results[f'{peer}/mIoU1'] for peer in ('left', 'right', 'ensemble')] == [100, 0, 100]


@pytest.mark.parametrize(
    ('subsets', 'sentence'),
    [
        ({'mIoU': ['car']}, "'mIoU', a result of IoUMetric: take another name"),
        ({'none': []}, r"\['none'\]=\[\] is empty"),
        ({'twice': ['car', 'car']}, 'names a class twice'),
    ],
)
def test_subsets_that_make_no_result_are_refused(subsets, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(subsets)


def test_a_class_that_the_dataset_lacks_is_named_at_the_first_batch():
    with pytest.raises(ValueError, match="names 'train', but the classes of the dataset are road, wall, car, bus"):
        build({'mIoU1': ['train']}).process({}, [sample()])
