"""What is written about the configs names files that exist, and leaves none out."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / 'configs').glob('*/README.md'))


def test_the_index_names_every_metafile():
    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert {ROOT / file for file in files} == set((ROOT / 'configs').rglob('metafile.yml'))


@pytest.mark.parametrize('path', (ROOT / 'configs').rglob('metafile.yml'), ids=lambda path: path.parent.name)
def test_a_metafile_holds_configs_that_have_been_run(path):
    content = yaml.safe_load(path.read_text())
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
