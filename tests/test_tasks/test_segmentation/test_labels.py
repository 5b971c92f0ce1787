from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from mmdmt.tasks import source_files
from mmdmt.tasks.segmentation.labels import PixelLabels


def test_the_header_of_a_mask_is_read_once(tmp_path, monkeypatch):
    mask = tmp_path / 'mask.png'
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(mask)
    opened = []

    def opening(path):
        opened.append(path)
        return Image.open(path)

    monkeypatch.setattr(source_files, 'Image', SimpleNamespace(open=opening))
    label = SimpleNamespace(data=torch.zeros(1, 4, 4, dtype=torch.long))
    sample = SimpleNamespace(metainfo={'seg_map_path': str(mask)}, gt_sem_seg=label)
    dataset = SimpleNamespace(metainfo={'classes': ('a', 'b')})
    for _ in range(3):
        PixelLabels().check_label(dataset, sample)
    assert opened == [mask]
