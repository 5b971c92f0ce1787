"""CIFAR-10 in its real file format, but with few images."""

import pickle

import numpy as np

from mmdmt.datasets.benchmarks.cifar import PartlyLabeledCIFAR10
from mmdmt.registry import DATASETS

FILES = ('data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch')


def write_archive(root, images=20):
    """Write the files of the unpacked archive.

    Args:
        root (Path): What becomes ``data_root``.
        images (int): Of each file, a multiple of ten; every class has as many.
    """
    folder = root / 'cifar-10-batches-py'
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in FILES:
        labels = generator.permutation(np.arange(images) % 10)
        # Noise around a level that tells the class.
        data = generator.normal(20 + 22 * labels[:, None], 10, (images, 3072)).clip(0, 255).astype(np.uint8)
        batch = {
            'data': data,
            'labels': labels.tolist(),
            'batch_label': name,
            'filenames': [f'{number}.png' for number in range(images)],
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    meta = {'label_names': list('abcdefghij'), 'num_cases_per_batch': images, 'num_vis': 3072}
    (folder / 'batches.meta').write_bytes(pickle.dumps(meta, protocol=2))
    return root


@DATASETS.register_module(force=True)
class TinyCIFAR10(PartlyLabeledCIFAR10):
    """As the data set itself, but without the MD5 sums of the real archive."""

    train_list = [[name, None] for name in FILES[:5]]
    test_list = [[name, None] for name in FILES[5:]]
