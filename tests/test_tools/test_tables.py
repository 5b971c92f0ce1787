"""Tables of the docs: what the index says, and nothing else."""

import csv
from pathlib import Path

import pytest
from toys.tools import load_tool

ROOT = Path(__file__).parents[2]
COLUMNS = (ROOT / 'results' / 'index.csv').read_text().splitlines()[0].split(',')


@pytest.fixture
def tool():
    return load_tool('tables.py')


def run(method, split, peer_a, peer_b, **other):
    mean = (peer_a + peer_b) / 2 if None not in (peer_a, peer_b) else ''
    record = f'results/camvid/{method}-s{split}{other.pop("of", "")}'
    values = dict(method=method, split=split, peer_a=peer_a, peer_b=peer_b, mean=mean, ensemble=mean)
    values |= dict(labels=30, metric='mIoU', iterations=1000, averages='yes', machine='a CPU', record=record)
    return {name: '' if value is None else value for name, value in (values | other).items()}


@pytest.fixture
def folders(tool, tmp_path):
    def make(*runs):
        (tmp_path / 'results').mkdir(exist_ok=True)
        with (tmp_path / 'results' / 'index.csv').open('w', newline='') as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(runs)
        return tool.read_index(tmp_path)

    return make


def cells(tool, folders):
    """The cells of the table of CamVid, by method."""
    lines = [line[2:-2].split(' | ') for line in tool.detailed('camvid', folders, ROOT / 'README.md')]
    head = lines[0]
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines[2:]}


def test_committed_tables_are_what_the_script_writes(tool):
    folders = tool.read_index()
    pages = {page: page.read_text() for page in tool.pages()}
    assert sum(text.count('<!-- table: ') for text in pages.values()) >= 4
    for page, text in pages.items():
        assert tool.filled(text, page, folders) == text, f'{page}: run tools/tables.py'


def test_every_record_of_the_index_is_there_and_no_other_beside_it():
    with (ROOT / 'results' / 'index.csv').open(newline='') as file:
        records = {line['record'] for line in csv.DictReader(file)}
    folders = {Path(record).parent for record in records}
    assert records == {path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).iterdir()}


def test_rows_have_their_order_and_other_images_have_tables_of_their_own(tool, folders):
    given = folders(
        run('oracle', 0, 9, 9, metric='IoU of polyp'),
        run('labels alone', 0, 5, 5, metric='IoU of polyp'),
        run('labels alone', 0, 4, 4, metric='IoU of polyp, CVC-ClinicDB'),
    )
    assert [row.method for row in given['camvid']] == ['labels alone', 'oracle']
    assert [row.method for row in given['camvid@CVC-ClinicDB']] == ['labels alone']
    assert tool.folder_of('camvid', given) == 'camvid'
    assert tool.folder_of('kvasir', {'kvasir-search': [], 'kvasir-64': []}) == 'kvasir-64'
    assert tool.folder_of('kvasir@CVC', {'kvasir-64': [], 'kvasir-64@CVC': []}) == 'kvasir-64@CVC'
    assert tool.folder_of('voc', given) is None


def test_gains_are_paired_by_split_and_shares_of_the_gap_with_them(tool, folders):
    # Gains of 1, 3 and 2: mean 2, deviation 1, standard error 1 / sqrt(3); the gap of split 0 is 8.
    given = folders(
        run('labels alone', 0, 40, 42),
        run('labels alone', 1, 50, 52),
        run('labels alone', 2, 60, 62),
        run('DMT', 2, 62, 64),
        run('DMT', 1, 53, 55),
        run('DMT', 0, 41, 43),
        run('CBST', 0, 30, 32, averages='no'),
        run('all labels', 0, 48, 50, labels=366),
    )
    table = cells(tool, given)
    assert table['DMT']['mean'] == '53.00'
    assert table['DMT']['gain'] == '+2.00\u00a0±\u00a00.58'
    assert table['DMT']['of the gap'] == '25%'
    assert (table['CBST']['gain'], table['CBST']['of the gap']) == ('-10.00', '-')
    assert (table['CBST']['averages'], table['CBST']['runs']) == ('no', '1')
    assert table['all labels']['gain'] == '+8.00'
    assert table['labels alone']['gain'] == 'control'


def test_peers_that_were_trained_apart_are_one_run_without_an_ensemble(tool, folders):
    given = folders(
        run('FixMatch-like', 0, 40, None, of='a', cpu_seconds=10),
        run('FixMatch-like', 0, None, 50, of='b', cpu_seconds=20),
    )
    row = cells(tool, given)['FixMatch-like']
    assert (row['mean'], row['ensemble'], row['runs'], row['CPU s']) == ('45.00', '-', '1', '30')


def test_rows_of_another_length_stand_apart_and_are_compared_with_labels_alone_of_their_length(tool, folders):
    given = folders(
        run('labels alone', 0, 40, 40),
        run('labels alone', 0, 44, 44, of='long', iterations=2000),
        run('DMT', 0, 45, 45, iterations=2000),
    )
    table = cells(tool, given)
    assert set(table) == {'labels alone, 1000 iterations', 'labels alone, 2000 iterations', 'DMT'}
    assert table['DMT']['gain'] == '+1.00'


def test_seconds_of_a_gpu_machine_and_unknown_ones_are_not_shown(tool, folders):
    given = folders(
        run('DMT', 0, 1, 1, cpu_seconds=9, machine='NVIDIA H200, a CPU'),
        run('CBST', 0, 1, 1, cpu_seconds=9),
        run('CBST', 1, 1, 1),
    )
    table = cells(tool, given)
    assert table['DMT']['CPU s'] == table['CBST']['CPU s'] == '-'


def test_the_same_run_twice_is_refused(tool, folders):
    with pytest.raises(ValueError, match=r"results/camvid/DMT-s0b is a second run of 'DMT'"):
        folders(run('DMT', 0, 1, 1), run('DMT', 0, 2, 2, of='b'))
