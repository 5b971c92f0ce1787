"""A run enters the index of all runs."""

import csv
from pathlib import Path

import pytest
from toys.run_folders import write_run
from toys.tools import load_tool

ROOT = Path(__file__).parents[2]
COLUMNS = (ROOT / 'results' / 'index.csv').read_text().splitlines()[0]


@pytest.fixture
def tool():
    return load_tool('keep_runs.py')


def test_a_run_becomes_a_line_with_its_last_scores_and_a_record(tool, tmp_path):
    (tmp_path / 'results').mkdir()
    index = tmp_path / 'results' / 'index.csv'
    index.write_text(f'{COLUMNS}\n')
    run = write_run(tmp_path / 'dmt-s1')
    given = ['--data', 'streets', '--method', 'DMT', '--labels', '30', '--split', '1', '--rare', 'traffic <light>']
    for _ in range(2):  # the second time it is replaced
        tool.main([str(run), *given, '--out', str(index.parent)])
    (line,) = csv.DictReader(index.read_text().splitlines())
    assert (line['data'], line['method'], line['labels'], line['split']) == ('streets', 'DMT', '30', '1')
    assert [float(line[name]) for name in ('peer_a', 'peer_b', 'mean', 'ensemble')] == [58.25, 55.5, 56.875, 64.75]
    # The classes of a peer are a point above and a point below its score.
    assert [float(line[name]) for name in ('frequent', 'rare')] == [57.88, 55.88]
    assert (line['seed'], line['iterations'], line['averages']) == ('7', '200', 'no')
    assert line['record'] == 'results/streets/dmt-s1'
    assert (index.parent / 'streets' / 'dmt-s1').is_dir()


def test_lines_of_other_records_stay(tool, tmp_path):
    index = tmp_path / 'index.csv'
    index.write_text('method,mean,record\nDMT,1,results/a\nCBST,2,results/b\n')
    tool.add_to_index(index, {'method': 'DMT', 'mean': 3.5, 'record': 'results/a'})
    tool.add_to_index(index, {'method': 'new', 'record': 'results/c'})
    assert index.read_text() == 'method,mean,record\nCBST,2,results/b\nDMT,3.5,results/a\nnew,,results/c\n'
