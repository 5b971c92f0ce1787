import numpy as np
import pytest
import torch
from torch.multiprocessing import start_processes

from mmdmt.labels.quality import Quality, count, measure

IGNORED = 255
TRUTH = np.array([[0, 0, 1, 1], [2, 2, IGNORED, 1]], np.uint8)
LABEL = np.array([[0, 1, 1, IGNORED], [2, 0, 1, 0]], np.uint8)
# Kept and known: (0, 0) (1, 0) (1, 1) (2, 2) (0, 2) (0, 1) as (label, truth).
RIGHT, KEPT, TRUE = [1, 1, 1], [3, 2, 1], [2, 2, 2]


class FakeBank:
    def __init__(self, shift):
        self.shift = shift

    def kept(self, image):
        return LABEL if self.shift == 0 else np.where(LABEL == IGNORED, IGNORED, (LABEL + image) % 3)


class FakeStore:
    def bank(self, folder):
        return FakeBank(int(folder))


class FakeDataset:
    """Images of which every third has no truth, and number 4 one of another size."""

    metainfo = {'classes': ('a', 'b', 'c')}
    ignored = None

    def __init__(self, images=40, known=True):
        self.images, self.known = images, known

    def num_unlabeled(self):
        return self.images

    def has_truth(self):
        return self.known

    def truth(self, index):
        if index == 4:
            return TRUTH[:1]
        return None if index % 3 == 2 else TRUTH


def flat(qualities):
    return {name: [q.right.tolist(), q.kept.tolist(), q.true.tolist(), q.images] for name, q in qualities.items()}


def test_labels_are_counted_where_both_are_classes():
    assert count(LABEL, TRUTH, 3).tolist() == [RIGHT, KEPT, TRUE]
    assert count(np.array([-1]), np.array([2]), 3).tolist() == [[0] * 3] * 3
    assert count(np.array([2]), np.array([1]), 3).tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_precision_and_iou_are_those_of_the_confusion_matrix():
    quality = Quality(*map(np.array, (RIGHT, KEPT, TRUE)), images=1)
    assert quality.precision == pytest.approx([100 / 3, 50, 100])
    assert quality.iou == pytest.approx([100 / 4, 100 / 3, 50])
    assert quality.overall_precision == pytest.approx(50)
    assert quality.mean_iou == pytest.approx((100 / 4 + 100 / 3 + 50) / 3)
    quality = Quality(np.array([4, 0, 0]), np.array([8, 0, 0]), np.array([4, 4, 0]), images=1)
    np.testing.assert_equal(quality.precision, [50, np.nan, np.nan])
    np.testing.assert_equal(quality.iou, [50, 0, np.nan])  # the second class is in the truth, and never labeled
    assert quality.mean_iou == 25


def test_quality_is_measured_where_truth_is_known_and_faults_are_told():
    qualities, left_out = measure(FakeDataset(), FakeStore(), {'left': '0', 'right': '1'}, num_workers=0)
    compared = sum(image % 3 != 2 for image in range(40) if image != 4)
    assert flat(qualities)['left'] == [*([n * compared for n in counts] for counts in (RIGHT, KEPT, TRUE)), compared]
    assert flat(qualities)['right'] != flat(qualities)['left']
    assert left_out.startswith('1 unlabeled images are left out of the comparison with their labels, first: image 4: ')
    assert '(1, 4), but its image was labeled at (2, 4)' in left_out


def test_workers_change_nothing_and_no_random_number_is_drawn():
    state = torch.random.get_rng_state()
    expected = measure(FakeDataset(), FakeStore(), {'left': '0', 'right': '1'}, num_workers=0)
    got = measure(FakeDataset(), FakeStore(), {'left': '0', 'right': '1'}, num_workers=2)
    assert flat(got[0]) == flat(expected[0])
    assert got[1] == expected[1]
    assert torch.random.get_rng_state().equal(state)
    for nothing in (FakeDataset(known=False), FakeDataset(images=0)):
        assert measure(nothing, FakeStore(), {'left': '0'}, num_workers=0) == ({}, '')


def _measure_in_one_of_two(rank, folder):
    torch.distributed.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    qualities, left_out = measure(FakeDataset(), FakeStore(), {'left': '0', 'right': '1'}, num_workers=0)
    (folder / f'{rank}.txt').write_text(repr((flat(qualities), left_out)))
    torch.distributed.destroy_process_group()


def test_two_processes_find_what_one_finds(tmp_path):
    qualities, left_out = measure(FakeDataset(), FakeStore(), {'left': '0', 'right': '1'}, num_workers=0)
    start_processes(_measure_in_one_of_two, (tmp_path,), nprocs=2, start_method='fork')
    for rank in range(2):
        assert (tmp_path / f'{rank}.txt').read_text() == repr((flat(qualities), left_out))


@pytest.mark.parametrize('ignored', [0, 2])
def test_an_ignored_class_counts_neither_as_label_nor_as_truth(ignored):
    label, truth = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 2, 0])
    sure = (label != ignored) & (truth != ignored)
    assert count(label, truth, 3, ignored).tolist() == count(label[sure], truth[sure], 3).tolist()
    assert count(label, truth, 3, ignored).sum() < count(label, truth, 3).sum()
