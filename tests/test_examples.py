"""The examples in docstrings run, and every public function of the method and of the interface has one."""

import doctest
import importlib
import inspect
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
SHOWN_IN_PAGES = {'predict_images'}  # in the example of init_peers


@pytest.mark.parametrize('name', [*MODULES, 'mmdmt.atomic_write', 'mmdmt.scripts'])
def test_examples_of_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    DefaultScope._instance_dict.clear()
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize('name', MODULES)
def test_public_functions_have_an_example(name):
    module = importlib.import_module(name)
    functions = inspect.getmembers(module, inspect.isfunction)
    public = [
        function
        for shown, function in functions
        if function.__module__ == name and not shown.startswith('_') and shown not in SHOWN_IN_PAGES
    ]
    lacking = [function.__name__ for function in public if '>>>' not in (function.__doc__ or '')]
    assert not lacking, f'{name}: give {", ".join(lacking)} an example'
