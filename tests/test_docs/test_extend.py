"""The worked examples of docs/en/extend.md, in one short run."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmseg.registry import DATASETS as MMSEG_DATASETS
from toys.segmentation import TRAIN_PIPELINE, run_config

from mmdmt.registry import MODELS

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r'```python\n(.*?)```', (ROOT / 'docs' / 'en' / 'extend.md').read_text(), flags=re.DOTALL)
MODULES = {block.split('.py')[0].removeprefix('# '): block for block in BLOCKS if re.match(r'# \w+\.py\n', block)}
REGISTERED = ((MODELS, 'AgreementLoss'), (MMSEG_DATASETS, 'Shapes'))


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """The page's modules in files of their own, imported, and forgotten afterwards."""
    for name, block in MODULES.items():
        (tmp_path / f'{name}.py').write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]
    for registry, name in REGISTERED:
        registry._module_dict.pop(name)
    DefaultScope._instance_dict.clear()


def test_its_rule_learns_labels_that_both_agree_on(modules):
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0]])
    loss = modules['my_rules'].AgreementLoss()
    _, weights = loss.weigh(logits, torch.tensor([0, 0, 0]), torch.tensor([0.9, 0.9, float('inf')]))
    assert weights.tolist() == [1, 0, 1]
    assert loss.counts['weight'] == 2


@pytest.mark.whole_run
def test_its_examples_run_together(modules, tmp_path, shapes_folder):
    lines = [block for block in BLOCKS if block not in MODULES.values()]
    scope = {'train_pipeline': TRAIN_PIPELINE}
    config = run_config(shapes_folder, tmp_path / 'work')
    for block in lines:
        block = block.replace('data/shapes', str(shapes_folder))
        names = {}
        exec(block, scope, names)
        scope |= names
        names.pop('data', None)
        config.merge_from_dict(names)
    assert set(config.custom_imports.imports) == {'mmdmt', *MODULES}
    runner = Runner.from_cfg(config)
    runner.train()

    assert type(runner.model.left.decode_head.loss_decode).__name__ == 'AgreementLoss'
    dataset = runner.train_dataloader.dataset
    assert type(dataset.labeled).__name__ == type(dataset.unlabeled).__name__ == 'Shapes'
    scalars = next((tmp_path / 'work').glob('*/vis_data/scalars.json')).read_text().splitlines()
    trained = [entry for entry in map(json.loads, scalars) if 'left.mean_weight' in entry]
    assert all(0 < entry['left.mean_weight'] <= 1 for entry in trained)
