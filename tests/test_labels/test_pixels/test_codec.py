import struct
import zlib

import numpy as np
import pytest

from mmdmt.labels.pixels.codec import decode, encode
from mmdmt.method.confidence_levels import NUM_LEVELS, quantize

SEED = 7


def network_output(height: int, width: int, num_classes: int = 21, stride: int = 8):
    """Labels and levels of random logits, about as smooth as a segmentor's, interpolated from a coarser grid."""
    coarse = np.random.default_rng(SEED).normal(size=(num_classes, height // stride + 1, width // stride + 1))
    for _ in range(512 // stride**2):  # blurs by the same number of pixels, whatever the stride
        for axis in (1, 2):
            coarse = (np.roll(coarse, 1, axis) + 2 * coarse + np.roll(coarse, -1, axis)) / 4
    coarse *= 6 / coarse.std()
    logits = interpolation(height, coarse.shape[1]) @ coarse @ interpolation(width, coarse.shape[2]).T
    probability = np.exp(logits - logits.max(axis=0))
    probability = (probability / probability.sum(axis=0)).astype(np.float32)
    return probability.argmax(axis=0).astype(np.uint8), quantize(probability.max(axis=0))


def interpolation(size: int, grid: int) -> np.ndarray:
    """Weights of linear interpolation from a grid to a size, both having the same corners."""
    positions = np.linspace(0, grid - 1, size)
    return np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(grid)))


def noise(shape):
    rng = np.random.default_rng(SEED)
    return rng.integers(0, 256, shape, dtype=np.uint8), rng.integers(0, NUM_LEVELS, shape, dtype=np.uint16)


def assert_round_trip(label, levels):
    decoded_label, decoded_levels = decode(encode(label, levels))
    assert (decoded_label.dtype, decoded_levels.dtype) == (np.uint8, np.uint16)
    np.testing.assert_array_equal(decoded_label, label)
    np.testing.assert_array_equal(decoded_levels, levels)


@pytest.mark.parametrize('shape', [(0, 0), (0, 5), (5, 0), (1, 1), (1, 9), (9, 1), (2, 3), (37, 64), (321, 500)])
def test_labels_and_levels_come_back(shape):
    assert_round_trip(*noise(shape))


def every_level():
    levels = np.random.default_rng(SEED).permutation(NUM_LEVELS)[None].astype(np.uint16)
    return np.zeros(levels.shape, np.uint8), levels


def largest_jumps():
    board = np.indices((8, 8)).sum(axis=0) % 2
    return board.astype(np.uint8), (board * (NUM_LEVELS - 1)).astype(np.uint16)


@pytest.mark.parametrize(
    'maps',
    [
        lambda: network_output(375, 500),
        lambda: (np.arange(256, dtype=np.uint8).reshape(16, 16), np.full((16, 16), 7, np.uint16)),
        every_level,
        largest_jumps,
        lambda: [one.T for one in noise((13, 29))],
    ],
    ids=['of a network', 'every label', 'every level', 'largest jumps', 'transposed views'],
)
def test_maps_of_any_content_come_back(maps):
    assert_round_trip(*maps())


def test_decoded_arrays_can_be_written_to_and_arguments_are_left_as_they_are():
    maps = noise((4, 5))
    label, levels = decode(encode(*maps))
    label[levels < 50] = 255
    levels[:] = 1
    for given, again in zip(maps, noise((4, 5)), strict=True):
        np.testing.assert_array_equal(given, again)


@pytest.mark.parametrize('stride', [4, 8])
def test_network_output_takes_at_most_1_2_bytes_a_pixel(stride):
    label, levels = network_output(375, 500, stride=stride)
    assert len(encode(label, levels)) <= 1.2 * label.size


@pytest.mark.parametrize('data', [b'', b'DM', b'\x89PNG\r\n\x1a\n', bytes(100)])
def test_foreign_data_are_refused(data):
    with pytest.raises(ValueError, match=rf'these {len(data)} bytes must be a pseudo label.* Label this phase again'):
        decode(data)


def test_data_truncated_or_changed_anywhere_or_with_anything_appended_are_refused():
    data = encode(*noise((5, 6)))
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 0x40
        for damaged in (data[:place], bytes(changed)):
            with pytest.raises(ValueError, match='Label this phase again'):
                decode(damaged)
    with pytest.raises(ValueError, match='truncated or damaged'):
        decode(data + b'\0')


@pytest.mark.parametrize('version', [2, 4])
def test_another_format_version_is_named(version):
    data = bytearray(encode(*noise((5, 6))))
    struct.pack_into('<H', data, 4, version)
    with pytest.raises(
        ValueError, match=rf'format version {version}, but this version of mmdmt reads version 3\. Label this'
    ):
        decode(bytes(data))


# A frame of one raw block, by hand from RFC 8878: magic number, descriptor (single segment, content size in one byte),
# content size, block header (last block, raw, 4 bytes).
FRAME_OF_4 = bytes.fromhex('28b52ffd 20 04 210000')


def test_files_of_format_version_3_stay_readable():
    """Bytes put together by hand: a change of the format that breaks them needs a new version number."""
    rows = [[NUM_LEVELS - 1, NUM_LEVELS - 1], [NUM_LEVELS - 2, 0]]
    differences = [rows[0][0], 0, -1, rows[1][1] - rows[1][0]]
    low = bytes(difference % 256 for difference in differences)
    high = bytes((difference + 128) // 256 % 256 for difference in differences)
    label = bytes([0, 20, 255, 1])
    content = struct.pack('<IIII', 2, 2, 13, 13) + FRAME_OF_4 + label + FRAME_OF_4 + high + low
    data = struct.pack('<4sHI', b'DMTP', 3, zlib.crc32(content)) + content
    decoded_label, decoded_levels = decode(data)
    assert decoded_label.tolist() == [[0, 20], [255, 1]]
    assert decoded_levels.tolist() == rows
