"""Fixtures of the whole suite. What tests import stands in the package ``toys``."""

import random

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope, init_default_scope
from toys.segmentation import write_shapes

import mmdmt  # noqa: F401


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


@pytest.fixture(scope='session')
def shapes_folder(tmp_path_factory):
    """A data set as a user has it: images, masks of some of them, and lists."""
    return write_shapes(tmp_path_factory.mktemp('shapes'))
