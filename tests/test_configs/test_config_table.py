"""Runs of the lists and networks of today's tables, which a command prints as configs that stand alone."""

import json
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from toys.resolved_settings import digest, resolved
from toys.tools import run_tool

from mmdmt.config_table import LISTS, compose, names
from mmdmt.preparation import known_lists

#: SHA-256 of what each run resolves to.
FROZEN = json.loads((Path(__file__).parents[1] / 'data' / 'table_hashes.json').read_text())
#: Pixels to a patch, of which crops are multiples.
PATCH = {'dinov2-s': 14, 'dinov3-s': 16}

each_run = pytest.mark.parametrize('name', names())


def test_every_list_has_every_network_in_three_ways():
    assert set(names()) == set(FROZEN)
    assert len(names()) == 3 * (4 * 3 + 2 * 4)


@each_run
def test_a_run_is_what_its_name_says(name):
    config = compose(name)
    assert digest(config.to_dict()) == FROZEN[name]
    pattern = r'(dmt|dmt-recipe|supervised-long)_([\w-]+)_1xb8_(voc12aug|cityscapes)-(\w+)-(\d+)x\5'
    method, network, data, one, side = re.fullmatch(pattern, name).groups()
    known = json.loads(Path(known_lists.__file__).with_name('known_lists.json').read_text())[data]
    lists = config.train_dataloader.dataset.lists.removeprefix(f'splits/{data}/')
    assert known[lists.replace('{}', 'labeled')]['name'].startswith(LISTS[data][one][0])
    (crop,) = (step.crop_size for step in config.train_dataloader.dataset.labeled.pipeline if 'crop_size' in step)
    assert crop == (int(side), int(side))
    for peer in config.model.peers.values():
        assert peer.data_preprocessor.size == crop
        assert peer.decode_head.num_classes == (21 if data == 'voc12aug' else 19)
        assert crop[0] % PATCH.get(network, 1) == 0
        if data == 'cityscapes':
            assert (peer.test_cfg.mode, peer.test_cfg.crop_size) == ('slide', crop)
            assert max(peer.test_cfg.stride) < crop[0]
    settings = resolved(config.to_dict())
    assert settings['train_cfg']['max_iters'] == (35000 if data == 'voc12aug' else 40000)
    assert len(settings['custom_hooks'][0]['phases']) == {'dmt': 6, 'dmt-recipe': 2, 'supervised-long': 1}[method]


def test_what_the_command_prints_is_that_run_and_needs_no_other_file(tmp_path):
    name = 'dmt-recipe_dinov3-s_1xb8_cityscapes-unimatch1of8-768x768'
    code, printed = run_tool('config.py', name, cwd=tmp_path)
    assert code == 0
    (tmp_path / 'mine.py').write_text(printed)
    assert digest(Config.fromfile(tmp_path / 'mine.py').to_dict()) == FROZEN[name]
    assert '_base_' not in printed
    assert 'strong_views' not in printed  # what no runner reads


def test_the_command_lists_the_names_and_knows_close_ones(tmp_path, capsys):
    code, printed = run_tool('config.py', cwd=tmp_path)
    assert code == 0
    assert [line for line in printed.splitlines() if not line.startswith(' ')] == list(names())
    with pytest.raises(ValueError, match='is one of dmt_dinov2-s_1xb8_voc12aug-classic92-518x518'):
        compose('dmt_dinov2-s_1xb8_voc12aug-classic92')
    with pytest.raises(ValueError, match='`python -m mmdmt config` lists them'):
        compose('x')
