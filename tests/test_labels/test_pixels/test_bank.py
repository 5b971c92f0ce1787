import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from toys.run_folders import MANIFEST

from mmdmt.labels.manifest import Manifest
from mmdmt.labels.pixels.bank import BankWriter, PseudoLabelBank


def label_of(image):
    generator = np.random.default_rng(image)
    shape = (6 + image, 8)
    return generator.integers(0, 3, shape).astype(np.uint8), generator.random(shape, np.float32)


def write(folder, images=range(5), rank=0):
    with BankWriter(folder, rank) as writer:
        for image in images:
            writer.write(image, *label_of(image))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / 'bank')
    MANIFEST.write(tmp_path / 'bank')
    return tmp_path / 'bank'


def test_reading_drops_pixels_below_the_threshold_of_their_class(folder):
    bank = PseudoLabelBank(folder)
    assert len(bank) == 5
    for image in (3, 0, 4):
        label, confidence = bank.read(image)
        original, sure = label_of(image)
        assert np.abs(confidence - sure).max() < 1e-3
        assert (label[original == 1] == 255).all()  # nothing reaches infinity
        for cls, threshold in ((0, 0.5), (2, 0.75)):
            assert np.array_equal(label == cls, (original == cls) & (confidence >= threshold))


def test_the_shards_of_several_processes_make_one_bank(folder, tmp_path):
    for rank in range(2):
        write(tmp_path / 'two', range(rank, 5, 2), rank)
    write(tmp_path / 'two', [], 2)
    replace(MANIFEST, shards=3).write(tmp_path / 'two')
    one, two = PseudoLabelBank(folder), PseudoLabelBank(tmp_path / 'two')
    for image in range(5):
        assert all(np.array_equal(a, b) for a, b in zip(one.read(image), two.read(image), strict=True))


def test_a_manifest_is_read_as_it_was_written(folder):
    assert Manifest.read(folder) == MANIFEST
    assert None in json.loads((folder / 'manifest.json').read_text())['thresholds']  # plain JSON, no Infinity


def test_a_labeling_that_failed_leaves_no_complete_shard(tmp_path):
    def fail():
        with BankWriter(tmp_path) as writer:
            writer.write(0, *label_of(0))
            raise KeyboardInterrupt

    pytest.raises(KeyboardInterrupt, fail)
    MANIFEST.write(tmp_path)
    with pytest.raises(FileNotFoundError, match='lacks index-0.npy'):
        PseudoLabelBank(tmp_path)


def test_a_flipped_bit_is_found_when_its_image_is_read(folder):
    data = bytearray((folder / 'labels-0.bin').read_bytes())
    data[len(data) // 2] ^= 1
    (folder / 'labels-0.bin').write_bytes(data)
    bank = PseudoLabelBank(folder)
    damaged = 2  # of five nearly equal ones, the middle byte is in the third
    for image in set(range(5)) - {damaged}:
        bank.read(image)
    with pytest.raises(ValueError, match=f'Image {damaged} of the pseudo-label bank'):
        bank.read(damaged)


def index_with(place, value):
    """Spoil a number of the index."""

    def spoil(folder):
        index = np.load(folder / 'index-0.npy')
        index[place] = value
        np.save(folder / 'index-0.npy', index)

    return spoil


def truncated_labels(folder):
    (folder / 'labels-0.bin').write_bytes((folder / 'labels-0.bin').read_bytes()[:-3])


def changed_manifest(folder):
    text = (folder / 'manifest.json').read_text()
    (folder / 'manifest.json').write_text(text.replace('"label_ratio": 0.', '"label_ratio": 0.1', 1))


def manifest_of(text):
    return lambda folder: (folder / 'manifest.json').write_text(text)


NO_MANIFEST, NO_INDEX = 'must be the manifest of a pseudo-label bank', 'must be the index of a pseudo-label bank'


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (lambda folder: (folder / 'manifest.json').unlink(), 'is incomplete'),
        (lambda folder: (folder / 'index-0.npy').unlink(), 'lacks index-0.npy'),
        (lambda folder: write(folder, [0, 2, 3]), 'lacks 2 of 5 images, first number 1'),
        (truncated_labels, r'has \d+ bytes, its index \d+'),
        (index_with((0, 0), 9), 'lacks 1 of 5 images, first number 0, and its index names 5'),
        (index_with((0, 0), 3), 'lacks 1 of 5 images, first number 0'),
        (index_with((0, 2), 0), 'its index'),
        (lambda folder: np.save(folder / 'index-0.npy', np.zeros(16, np.int64)), NO_INDEX),
        *((manifest_of(text), NO_MANIFEST) for text in ('{', '{}', '[]', '"x"')),
        (manifest_of('{"sha256": "ab", "run": "r"}'), NO_MANIFEST),
        (changed_manifest, 'it is damaged, or was changed by hand'),
        (replace(MANIFEST, format=1).write, 'has format 1, this version reads 2'),
    ],
)
def test_an_incomplete_or_damaged_bank_is_refused_with_the_way_out(folder, spoil, words):
    spoil(folder)
    with pytest.raises((FileNotFoundError, ValueError), match=f'{words}.*resume the run from'):
        PseudoLabelBank(folder)


def test_the_bank_of_another_run_is_refused(folder):
    Manifest.read(folder).check(folder, run='20260101_000000', phase=2)
    with pytest.raises(ValueError, match='of another run: its phase is 2, not 3'):
        Manifest.read(folder).check(folder, run='20260101_000000', phase=3)


@pytest.mark.process
def test_a_bank_that_is_open_when_python_ends_says_nothing(folder):
    code = f'from mmdmt.labels.pixels.bank import open_bank\nopen_bank({str(folder)!r}).read(0, 255)\n'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=300, check=True)
    assert 'Exception ignored' not in result.stderr
