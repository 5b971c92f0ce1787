import logging
import os

import pytest
import torch
from torch import nn

from mmdmt.engine.best_weights import BestWeights


class Call:
    """Pickles as a shell command, which runs where it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def kept(folder):
    best = BestWeights('mIoU')
    best.folder = folder
    peer = nn.Linear(2, 2)
    best.update({'left': peer}, {'left/mIoU': 50.0})
    return best, peer


def test_the_best_weights_come_back(tmp_path):
    best, peer = kept(tmp_path)
    expected = peer.weight.clone()
    nn.init.zeros_(peer.weight)
    best.carry({'left': peer}, logging.getLogger())
    assert peer.weight.equal(expected)


def test_a_file_that_runs_code_is_refused(tmp_path):
    best, peer = kept(tmp_path)
    torch.save(Call(f'touch {tmp_path / "witness"}'), tmp_path / 'left.pth')
    with pytest.raises(ValueError, match=r"left.pth, the best weights of peer 'left', cannot be read safely"):
        best.carry({'left': peer}, logging.getLogger())
    assert not (tmp_path / 'witness').exists()
