import json
from dataclasses import replace

import numpy as np
import pytest

from mmdmt.pseudo_labels.bank import BankWriter, Manifest, PseudoLabelBank, remove_banks, summarize

MANIFEST = Manifest(
    run='20260101_000000',
    phase=2,
    peer='coco',
    weights='ab',
    images=5,
    names='cd',
    label_ratio=0.4,
    thresholds=(0.5, float('inf'), 0.75),
    totals=(100, 0, 50),
    kept=(40, 0, 20),
    shards=1,
)


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
    replace(MANIFEST, shards=2).write(tmp_path / 'two')
    one, two = PseudoLabelBank(folder), PseudoLabelBank(tmp_path / 'two')
    for image in range(5):
        assert all(np.array_equal(a, b) for a, b in zip(one.read(image), two.read(image), strict=True))


def test_a_manifest_is_read_as_it_was_written(folder):
    assert Manifest.read(folder) == MANIFEST
    assert None in json.loads((folder / 'manifest.json').read_text())['thresholds']  # plain JSON, no Infinity


def test_a_bank_without_manifest_is_incomplete(tmp_path):
    write(tmp_path)
    with pytest.raises(FileNotFoundError, match='is incomplete .*resume the run'):
        PseudoLabelBank(tmp_path)


def test_a_labelling_that_failed_leaves_no_complete_shard(tmp_path):
    def fail():
        with BankWriter(tmp_path) as writer:
            writer.write(0, *label_of(0))
            raise KeyboardInterrupt

    pytest.raises(KeyboardInterrupt, fail)
    MANIFEST.write(tmp_path)
    with pytest.raises(FileNotFoundError, match='lacks index-0.npy'):
        PseudoLabelBank(tmp_path)


def test_missing_images_are_counted(tmp_path):
    write(tmp_path, images=[0, 2, 3])
    MANIFEST.write(tmp_path)
    with pytest.raises(ValueError, match='lacks 2 of 5 images, first number 1'):
        PseudoLabelBank(tmp_path)


def test_a_truncated_file_is_found_when_the_bank_is_opened(folder):
    data = (folder / 'labels-0.bin').read_bytes()
    (folder / 'labels-0.bin').write_bytes(data[:-3])
    with pytest.raises(ValueError, match=f'has {len(data) - 3} bytes, its index {len(data)}'):
        PseudoLabelBank(folder)


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


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('{', 'no manifest'),
        ('{}', 'no manifest'),
        ('{"thresholds": [], "totals": [], "kept": [], "surprise": 1}', 'no manifest'),
    ],
)
def test_a_strange_manifest_is_refused(folder, text, words):
    (folder / 'manifest.json').write_text(text)
    with pytest.raises(ValueError, match=words):
        PseudoLabelBank(folder)


def test_another_format_is_refused(folder):
    replace(MANIFEST, format=99).write(folder)
    with pytest.raises(ValueError, match='format 99'):
        PseudoLabelBank(folder)


def test_the_bank_of_another_run_is_refused(folder):
    Manifest.read(folder).check(folder, run='20260101_000000', phase=2)
    with pytest.raises(ValueError, match='of another run: its phase is 2, not 3'):
        Manifest.read(folder).check(folder, run='20260101_000000', phase=3)


@pytest.mark.parametrize(('keep', 'left'), [(0, {0, 1, 2, 3}), (1, {3}), (2, {2, 3}), (9, {0, 1, 2, 3})])
def test_old_banks_are_removed_by_a_setting(tmp_path, keep, left):
    for phase in range(4):
        (tmp_path / f'phase_{phase}' / 'coco').mkdir(parents=True)
    (tmp_path / 'mine').mkdir()
    remove_banks(tmp_path, phase=3, keep=keep)
    assert {path.name for path in tmp_path.iterdir()} == {'mine', *(f'phase_{n}' for n in left)}


def test_the_summary_names_every_class():
    table = summarize(MANIFEST, ['road', 'train', 'sky'])
    assert [line.split() for line in table.splitlines()[1:]] == [
        ['road', '100', '40.00%', '0.5000000'],
        ['train', '0', 'none', 'inf'],
        ['sky', '50', '40.00%', '0.7500000'],
    ]
