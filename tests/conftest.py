"""Fixtures of the whole suite. What tests import stands in the package ``toys``."""

import random
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope, init_default_scope
from toys.frozen import freeze
from toys.segmentation import write_shapes

SLOW = ('whole_run', 'kill', 'process', 'browser')


def pytest_collection_modifyitems(items):
    """Begin with the files of many slow tests: side by side with others, one that began last would be waited for."""
    slow = Counter(item.path for item in items if any(map(item.get_closest_marker, SLOW)))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish():
    freeze()


@pytest.fixture(autouse=True)
def seeded():
    """Every test is the same every time, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture
def mmseg_scope():
    """Unprefixed types resolve in mmseg, as in a run."""
    init_default_scope('mmseg')
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture
def unset_weights(monkeypatch):
    """Large layers are left with whatever is in memory, which no one touches: building costs next to nothing."""
    for layer in (torch.nn.modules.conv._ConvNd, torch.nn.Linear):
        monkeypatch.setattr(layer, 'reset_parameters', lambda self: None)
    for function in ('kaiming_normal_', 'normal_', 'trunc_normal_'):
        monkeypatch.setattr(torch.nn.init, function, lambda tensor, *args, **kwargs: tensor)


@pytest.fixture(scope='session')
def forge():
    """Starts runs in processes of their own."""
    from toys.stages import Forge

    return Forge()


@pytest.fixture(scope='session')
def shapes_folder(tmp_path_factory):
    """A data set as a user has it: images, masks of some of them, and lists."""
    return write_shapes(tmp_path_factory.mktemp('shapes'))
