"""What is written about the configs names files that exist, and leaves none out."""

import re
from pathlib import Path

import pytest
import yaml
from toys.tools import load_tool

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / 'configs').glob('*/README.md'))


def test_the_index_names_every_metafile():
    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert {ROOT / file for file in files} == set((ROOT / 'configs').rglob('metafile.yml'))


def test_the_metafile_of_segmentation_is_written_from_the_results():
    tables = load_tool('tables')
    content = yaml.safe_load((ROOT / 'configs' / 'metafile.yml').read_text())
    assert content == tables.metafile(tables.read_index())
    assert len(content['Models']) > 30
    for model in content['Models']:
        assert (ROOT / model['Config']).is_file()
        assert Path(model['Config']).stem == model['Name']
    (recipe,) = (model for model in content['Models'] if model['Name'] == 'recipe_lite0-lite1_kvasir-64')
    ((result,), text) = recipe['Results'], (ROOT / 'docs/en/results.md').read_text()
    row = next(line for line in text.splitlines() if line.startswith('| [recipe](../../configs/polyps/recipe'))
    assert [f'{value:.2f}' for value in result['Metrics'].values()] == [row.split(' | ')[3], row.split(' | ')[6]]


def test_the_metafile_of_digits_holds_configs_that_have_been_run():
    content = yaml.safe_load((ROOT / 'configs' / 'digits' / 'metafile.yml').read_text())
    collections = {collection['Name']: collection['README'] for collection in content['Collections']}
    for model in content['Models']:
        assert (ROOT / model['Config']).is_file()
        assert Path(model['Config']).stem == model['Name']
        rows = (ROOT / collections[model['In Collection']]).read_text().splitlines()
        (row,) = (row for row in rows if row.startswith('|') and f'({model["Name"]}.py)' in row)
        metrics = [value for result in model['Results'] for value in result['Metrics'].values()]
        assert metrics
        assert all(f'{value:.2f} ±' in row for value in metrics)


@pytest.mark.parametrize('folder', FOLDERS)
def test_a_readme_links_to_every_config_of_its_folder_and_fits_a_screen_or_two(folder):
    here = ROOT / 'configs' / folder
    text = (here / 'README.md').read_text()
    links = re.findall(r'\]\(([^)#:]+)\)', text)
    assert {path.name for path in here.glob('*.py')} <= set(links)
    assert len(text.splitlines()) <= 60
