"""The examples in docstrings run."""

import doctest
import importlib
import pkgutil

import pytest
from mmengine.registry import DefaultScope

import mmdmt.apis
import mmdmt.method

MODULES = sorted(
    module.name
    for package in (mmdmt.method, mmdmt.apis)
    for module in pkgutil.iter_modules(package.__path__, f'{package.__name__}.')
)


@pytest.mark.parametrize('name', MODULES)
def test_examples_of_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    DefaultScope._instance_dict.clear()
    assert result.failed == 0
