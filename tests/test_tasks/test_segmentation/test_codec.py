import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from mmdmt.method.confidence_levels import NUM_LEVELS, dequantize, quantize
from mmdmt.tasks.segmentation.codec import decode, encode

SEED = 7


def network_output(height: int, width: int, num_classes: int = 21, stride: int = 8):
    """Label and confidence of random logits, about as smooth as a segmentor's, interpolated from a coarser grid."""
    coarse = np.random.default_rng(SEED).normal(size=(num_classes, height // stride + 1, width // stride + 1))
    for _ in range(512 // stride**2):  # blurs by the same number of pixels, whatever the stride
        for axis in (1, 2):
            coarse = (np.roll(coarse, 1, axis) + 2 * coarse + np.roll(coarse, -1, axis)) / 4
    coarse *= 6 / coarse.std()
    logits = interpolation(height, coarse.shape[1]) @ coarse @ interpolation(width, coarse.shape[2]).T
    probability = np.exp(logits - logits.max(axis=0))
    probability = (probability / probability.sum(axis=0)).astype(np.float32)
    return probability.argmax(axis=0).astype(np.uint8), probability.max(axis=0)


def interpolation(size: int, grid: int) -> np.ndarray:
    """Weights of linear interpolation from a grid to a size, both having the same corners."""
    positions = np.linspace(0, grid - 1, size)
    return np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(grid)))


def noise(shape):
    rng = np.random.default_rng(SEED)
    return rng.integers(0, 256, shape, dtype=np.uint8), rng.random(shape, np.float32)


def assert_round_trip(label, confidence):
    decoded_label, decoded_confidence = decode(encode(label, confidence))
    assert decoded_label.dtype == np.uint8
    assert decoded_confidence.dtype == np.float32
    np.testing.assert_array_equal(decoded_label, label)
    np.testing.assert_array_equal(decoded_confidence, dequantize(quantize(confidence)))


@pytest.mark.parametrize('shape', [(0, 0), (0, 5), (5, 0), (1, 1), (1, 9), (9, 1), (2, 3), (37, 64), (321, 500)])
def test_label_and_confidence_level_come_back(shape):
    assert_round_trip(*noise(shape))


def test_network_output_comes_back():
    assert_round_trip(*network_output(375, 500))


def test_every_label_value_comes_back():
    label = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert_round_trip(label, np.full(label.shape, 0.5, np.float32))


def test_every_confidence_level_comes_back():
    levels = np.random.default_rng(SEED).permutation(NUM_LEVELS)[None]
    confidence = dequantize(levels)
    _, decoded = decode(encode(np.zeros(levels.shape, np.uint8), confidence))
    np.testing.assert_array_equal(decoded, confidence)


def test_largest_jumps_come_back():
    board = np.indices((8, 8)).sum(axis=0) % 2
    assert_round_trip(board.astype(np.uint8), board.astype(np.float32))


def test_confidences_next_to_one_stay_apart():
    confidence = 1 - np.array([[1e-4, 1e-5, 1e-6, 2e-7, 1e-7, 0]], np.float32)
    _, decoded = decode(encode(np.zeros(confidence.shape, np.uint8), confidence))
    assert (np.diff(decoded) > 0).all()


def test_transposed_views_come_back():
    label, confidence = noise((13, 29))
    assert_round_trip(label.T, confidence.T)


def test_decoded_arrays_can_be_written_to():
    label, confidence = decode(encode(*noise((4, 5))))
    label[confidence < 0.5] = 255
    confidence[:] = 1


def test_arguments_are_left_as_they_are():
    label, confidence = noise((4, 5))
    encode(label, confidence)
    np.testing.assert_array_equal(label, noise((4, 5))[0])
    np.testing.assert_array_equal(confidence, noise((4, 5))[1])


def test_equal_labels_give_equal_bytes():
    assert encode(*noise((20, 30))) == encode(*noise((20, 30)))


@pytest.mark.parametrize('stride', [4, 8])
def test_network_output_takes_at_most_1_3_bytes_a_pixel(stride):
    label, confidence = network_output(375, 500, stride=stride)
    assert len(encode(label, confidence)) <= 1.3 * label.size


def test_noise_takes_little_more_than_the_two_maps_hold():
    label, confidence = noise((100, 100))
    assert len(encode(label, confidence)) <= 3.01 * label.size


@pytest.mark.parametrize(
    ('label', 'confidence', 'message'),
    [
        (np.zeros((2, 3), np.int64), np.ones((2, 3), np.float32), 'uint8 of shape .* not int64'),
        (np.zeros((1, 2, 3), np.uint8), np.ones((1, 2, 3), np.float32), r'\(H, W\), not uint8 of shape \(1, 2, 3\)'),
        (np.zeros((2, 3), np.uint8), np.ones((3, 2), np.float32), r'shape \(3, 2\), but its label map \(2, 3\)'),
        (np.zeros((2, 3), np.uint8), np.ones((2, 3)), 'float64, but float32'),
        (np.zeros((2, 3), np.uint8), np.full((2, 3), 1.5, np.float32), 'confidence is 1.5'),
        (np.zeros((2, 3), np.uint8), np.full((2, 3), np.nan, np.float32), 'confidence is nan'),
    ],
)
def test_what_is_no_pseudo_label_is_not_encoded(label, confidence, message):
    with pytest.raises(ValueError, match=message):
        encode(label, confidence)


@pytest.mark.parametrize('data', [b'', b'DM', b'\x89PNG\r\n\x1a\n', bytes(100)])
def test_foreign_data_are_refused(data):
    with pytest.raises(ValueError, match=rf'these {len(data)} bytes are no pseudo label.* Label this phase again'):
        decode(data)


def test_data_truncated_anywhere_are_refused():
    data = encode(*noise((5, 6)))
    for length in range(len(data)):
        with pytest.raises(ValueError, match='Label this phase again'):
            decode(data[:length])


def test_data_with_anything_appended_are_refused():
    with pytest.raises(ValueError, match='truncated or damaged'):
        decode(encode(*noise((5, 6))) + b'\0')


def test_any_flipped_byte_is_noticed():
    data = encode(*noise((5, 6)))
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x40
        with pytest.raises(ValueError, match='Label this phase again'):
            decode(bytes(damaged))


def test_newer_format_version_is_named():
    data = bytearray(encode(*noise((5, 6))))
    struct.pack_into('<H', data, 4, 3)
    with pytest.raises(ValueError, match=r'format version 3, but this version of mmdmt reads version 2\. Label this'):
        decode(bytes(data))


def test_files_of_format_version_2_stay_readable():
    """Bytes put together by hand: a change of the format that breaks them needs a new version number."""
    rows = [[NUM_LEVELS - 1, NUM_LEVELS - 1], [NUM_LEVELS - 2, 0]]
    differences = [rows[0][0], 0, -1, rows[1][1] - rows[1][0]]
    words = [(difference + 128) % 2**16 for difference in differences]
    low, high = bytes(word % 256 for word in words), bytes(word // 256 for word in words)
    label = bytes([0, 20, 255, 1])
    planes = struct.pack('<I', 0) + label + struct.pack('<IHHH', 3, 1, 2, 1) + bytes([high[0], high[1], high[3]])
    assert high[1] == high[2]
    content = struct.pack('<II', 2, 2) + low + zlib.compress(planes)
    data = struct.pack('<4sHI', b'DMTP', 2, zlib.crc32(content)) + content
    decoded_label, decoded_confidence = decode(data)
    assert decoded_label.tolist() == [[0, 20], [255, 1]]
    assert decoded_confidence.tolist() == [[1, 1], [1 - 2**-24, 0]]


def crafted(height, width, low, planes):
    """A pseudo label with a right checksum and whatever content."""
    content = struct.pack('<II', height, width) + low + zlib.compress(planes)
    return struct.pack('<4sHI', b'DMTP', 2, zlib.crc32(content)) + content


def plain(*values):
    """A plane that stands there as it is, not as runs."""
    return struct.pack('<I', 0) + bytes(values)


def test_a_crafted_pseudo_label_is_read_if_it_is_right():
    label, confidence = decode(crafted(1, 2, bytes([128, 128]), plain(3, 4) + plain(0, 0)))
    assert label.tolist() == [[3, 4]]
    assert confidence.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    'data',
    [
        crafted(2**31, 2**31, b'', b''),
        crafted(2, 2, bytes(4), plain(0, 0, 0, 0) + plain(0, 0, 0)),
        crafted(2, 2, bytes(4), plain(0, 0, 0, 0) * 3),
        crafted(2, 2, bytes(4), bytes(10**7)),
        crafted(2, 2, bytes(4), struct.pack('<IHB', 1, 65535, 0) + plain(0, 0, 0, 0)),
        crafted(2, 2, bytes(4), struct.pack('<I', 2**32 - 1)),
        crafted(1, 1, bytes([0]), plain(0) + plain(0xFF)),
    ],
    ids=['huge', 'too few pixels', 'too many', 'far too many', 'a long run', 'many runs', 'a confidence above 1'],
)
def test_a_strangers_pseudo_label_is_refused(data):
    with pytest.raises(
        ValueError, match=r'says that it is \d+x\d+, but holds something else .* Label this phase again'
    ):
        decode(data)


def test_a_deflate_bomb_is_not_inflated():
    bomb = crafted(4, 4, bytes(16), bytes(200 * 2**20))
    tracemalloc.start()
    with pytest.raises(ValueError, match='holds something else'):
        decode(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
