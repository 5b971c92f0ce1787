"""Rules are rows: what must be the same, in a range, or known, and what to do."""

import pytest
from mmengine.config import Config

from mmdmt.rules.facts import Facts, broken
from mmdmt.rules.run_facts import read_loaders


def told(**facts):
    read = Facts()
    for fact, places in facts.items():
        read[fact.replace('_', ' ')] |= places
    return list(broken(read))


def test_a_fact_that_is_the_same_everywhere_is_fine_and_another_is_named_with_its_place():
    assert told(batch_size={'a': 4, 'b': 4}) == []
    assert told(batch_size={'a': 4, 'b': 4, 'c': 8}) == ['The batch size is 4 in a, but 8 in c: make them equal.']


def test_long_lists_are_told_from_where_they_differ():
    names = [f'class {number}' for number in range(30)]
    (sentence,) = told(list_of_classes={'a': tuple(names), 'b': (*names[:20], 'tree', *names[21:])})
    assert "..., 'class 20', 'class 21'" in sentence
    assert "..., 'tree', 'class 21'" in sentence
    assert "'class 1'" not in sentence


@pytest.mark.parametrize('classes', [(0, 1, 2), ('soil', 'plant', 'plant'), 'abc'])
def test_classes_are_names_each_once(classes):
    (sentence,) = told(list_of_classes={'the labeled dataset': classes})
    assert 'give metainfo=dict(classes=(...)) strings, each once' in sentence


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'val_dataloader.prefetch_factor': 2}, 'The prefetch_factor is 2 in val_dataloader with num_workers=0'),
        ({'train_dataloader.persistent_workers': True}, 'persistent_workers is True in train_dataloader'),
        ({'train_cfg.type': 'EpochBasedTrainLoop'}, "train loop is 'EpochBasedTrainLoop' in train_cfg"),
        ({'train_dataloader.num_workers': 1, 'train_dataloader.prefetch_factor': 2}, ''),
    ],
)
def test_settings_of_loaders_that_exclude_each_other_are_told_before_anything_is_built(change, words):
    config = Config(
        {
            'train_dataloader': {'num_workers': 0},
            'val_dataloader': {'num_workers': 0},
            'train_cfg': {'type': 'IterBasedTrainLoop'},
            'custom_hooks': [{'type': 'mmdmt.DMTHook'}],
        }
    )
    config.merge_from_dict(change)
    facts = Facts()
    read_loaders(facts, config)
    assert [words in sentence for sentence in broken(facts)] == ([True] if words else [])


def test_a_list_in_another_encoding_is_named(tmp_path):
    (tmp_path / 'val.txt').write_text('016\n', encoding='utf-16')
    dataset = {'data_root': str(tmp_path), 'ann_file': 'val.txt'}
    with pytest.raises(ValueError, match=r'val\.txt \(ann_file\) is not text in UTF-8'):
        read_loaders(Facts(), {'val_dataloader': {'dataset': dataset}})
