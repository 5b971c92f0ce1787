"""CIFAR-10 in its real file format, and small."""

import hashlib
import pickle

import numpy as np
import pytest
from toys.cifar10 import FILES, write_archive

from mmdmt.datasets.benchmarks.cifar import PartlyLabeledCIFAR10


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """The files of the archive with 100 and 20 images; MD5 sums are checked, but against theirs."""
    write_archive(tmp_path)
    folder = tmp_path / 'cifar-10-batches-py'
    sums = [[name, hashlib.md5((folder / name).read_bytes()).hexdigest()] for name in FILES]
    monkeypatch.setattr(PartlyLabeledCIFAR10, 'train_list', sums[:5])
    monkeypatch.setattr(PartlyLabeledCIFAR10, 'test_list', sums[5:])
    return tmp_path


def load(root, part, **settings):
    return PartlyLabeledCIFAR10(str(root), part, **{'labels_per_class': 2, 'val_per_class': 1, **settings})


def names(dataset):
    return [dataset.get_data_info(number)['img_path'] for number in range(len(dataset))]


def test_parts_have_the_images_that_are_asked_for(archive):
    sizes = {part: len(load(archive, part)) for part in ('labeled', 'unlabeled', 'val', 'train', 'test')}
    assert sizes == {'labeled': 20, 'unlabeled': 70, 'val': 10, 'train': 90, 'test': 20}
    assert np.bincount(load(archive, 'labeled').get_gt_labels()).tolist() == [2] * 10


def test_parts_share_no_image_and_are_all(archive):
    parts = [name for part in ('labeled', 'unlabeled', 'val') for name in names(load(archive, part))]
    assert sorted(parts) == [f'cifar-10/train/{number:05d}' for number in range(100)]
    assert names(load(archive, 'test'))[0] == 'cifar-10/test/00000'


def test_images_and_labels_are_those_of_the_files(archive):
    files = [pickle.loads((archive / 'cifar-10-batches-py' / name).read_bytes()) for name in FILES]
    for part, batches in (('unlabeled', files[:5]), ('test', files[5:])):
        dataset = load(archive, part)
        for number in range(len(dataset)):
            info = dataset.get_data_info(number)
            batch, row = divmod(int(info['img_path'][-5:]), 20)
            # A row of a file is the red, then the green, then the blue plane.
            assert np.array_equal(info['img'], batches[batch]['data'][row].reshape(3, 32, 32).transpose(1, 2, 0))
            assert info['gt_label'] == batches[batch]['labels'][row]


def test_only_the_images_of_the_part_are_held(archive):
    dataset = load(archive, 'labeled')
    assert dataset.data_list == []
    assert dataset.data_bytes.nbytes < 20 * (3072 + 400)


def test_a_missing_or_damaged_archive_is_refused_with_its_place(archive, tmp_path):
    file = archive / 'cifar-10-batches-py' / 'data_batch_3'
    file.write_bytes(file.read_bytes()[:-1])
    for root in (archive, tmp_path / 'elsewhere'):
        with pytest.raises(RuntimeError, match=f'Cannot find PartlyLabeledCIFAR10 .* in {root}/?, .*download=True'):
            load(root, 'test')


def test_an_unknown_part_and_a_class_with_too_few_images_are_refused(archive):
    with pytest.raises(ValueError, match="part='train2' of PartlyLabeledCIFAR10: give one of 'labeled'"):
        load(archive, 'train2')
    with pytest.raises(ValueError, match='ask for 420 images of every class, but one has only 10'):
        PartlyLabeledCIFAR10(str(archive))
