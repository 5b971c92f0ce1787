import numpy as np
import pytest
import torch
from mmengine.registry import METRICS
from mmengine.structures import BaseDataElement, PixelData
from mmseg.structures import SegDataSample
from PIL import Image
from toys.segmentation import CLASSES

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def sample_of(truth, **predictions):
    def pixels(label):
        return PixelData(data=torch.tensor(label).reshape(1, 1, -1))

    sample = SegDataSample(gt_sem_seg=pixels(truth), pred_sem_seg=pixels(predictions['ensemble']))
    peers = {name: BaseDataElement(pred_sem_seg=pixels(label)) for name, label in predictions.items()}
    sample.set_field(BaseDataElement(**peers), 'peers')
    return sample.to_dict()


def build(**settings):
    metric = METRICS.build({'type': 'mmdmt.PeerMetric', 'metric': {'type': 'IoUMetric', **settings}})
    metric.dataset_meta = {'classes': CLASSES}
    return metric


def test_every_peer_and_the_ensemble_are_measured_by_name():
    metric = build(iou_metrics=['mIoU'])
    truth = [0, 0, 1, 2]
    metric.process({}, [sample_of(truth, coco=truth, imagenet=[0, 0, 0, 0], ensemble=[0, 0, 1, 1])])
    metric.process({}, [sample_of(truth, coco=truth, imagenet=[0, 0, 0, 0], ensemble=[0, 0, 1, 1])])
    results = metric.evaluate(2)
    assert results['coco/mIoU'] == 100
    assert results['imagenet/mIoU'] == pytest.approx(100 * np.mean([0.5, 0, 0]), abs=0.01)
    assert results['ensemble/mIoU'] == pytest.approx(100 * np.mean([1, 0.5, 0]), abs=0.01)


def test_results_start_anew_with_every_evaluation_and_the_metrics_own_prefix_stays():
    metric = build(iou_metrics=['mDice'], prefix='val')
    metric.process({}, [sample_of([0, 1, 2, 2], a=[0, 0, 0, 0], ensemble=[0, 0, 0, 0])])
    worse = metric.evaluate(1)
    metric.process({}, [sample_of([0, 1, 2, 2], a=[0, 1, 2, 2], ensemble=[0, 1, 2, 2])])
    assert metric.evaluate(1)['a/val/mDice'] == 100 > worse['a/val/mDice']


def test_a_model_without_peers_is_told_to_use_the_plain_metric():
    sample = SegDataSample(pred_sem_seg=PixelData(data=torch.zeros(1, 2, 2))).to_dict()
    with pytest.raises(ValueError, match='use the plain metric'):
        build().process({}, [sample])


@pytest.mark.parametrize('inside', [True, False], ids=['output_dir of the metric', 'tools/test.py --out'])
def test_each_peer_and_the_ensemble_write_masks_of_their_own(tmp_path, inside):
    if inside:
        metric = build(format_only=True, output_dir=str(tmp_path))
    else:
        settings = {'type': 'mmdmt.PeerMetric', 'metric': {'type': 'IoUMetric'}}
        metric = METRICS.build({**settings, 'output_dir': str(tmp_path), 'keep_results': True})
        metric.dataset_meta = {'classes': CLASSES}
    predictions = {'coco': [0, 1, 2], 'imagenet': [2, 2, 2], 'ensemble': [0, 1, 1]}
    metric.process({}, [{**sample_of([0, 1, 2], **predictions), 'img_path': 'night/GOPR_rgb_anon.png'}])
    written = {file.relative_to(tmp_path): np.asarray(Image.open(file)).ravel() for file in tmp_path.rglob('*.png')}
    assert {str(file): mask.tolist() for file, mask in written.items()} == {
        f'{name}/GOPR_rgb_anon.png': label for name, label in predictions.items()
    }
    assert (metric.evaluate(1) == {}) is inside


def test_two_predictions_that_would_be_written_to_one_file_are_refused(tmp_path):
    metric = build(output_dir=str(tmp_path), format_only=True)
    for image, other in (('volume_1/0.png', 'volume_2/0.png'), ('a.png', 'b/a.jpg')):
        metric.process({}, [{**sample_of([0, 1], a=[0, 1], ensemble=[0, 1]), 'img_path': image}])
        with pytest.raises(ValueError, match=rf'predictions of {image} and {other} would both be written to \w+\.png'):
            metric.process({}, [{**sample_of([0, 1], a=[1, 1], ensemble=[1, 1]), 'img_path': other}])
    assert np.asarray(Image.open(tmp_path / 'a' / '0.png')).ravel().tolist() == [0, 1]  # of the first
    # The same image again, as in the next evaluation, does not count as another.
    metric.process({}, [{**sample_of([0, 1], a=[1, 0], ensemble=[1, 1]), 'img_path': 'volume_1/0.png'}])
    assert np.asarray(Image.open(tmp_path / 'a' / '0.png')).ravel().tolist() == [1, 0]
    assert np.asarray(Image.open(tmp_path / 'ensemble' / '0.png')).ravel().tolist() == [1, 1]
