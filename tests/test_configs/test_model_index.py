"""What is written about the configs names files that exist, and leaves none out."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = ('ablations', 'classification', 'dmt', 'domain_adaptation', 'kvasir_seg', 'supervised')
DATA = {'voc12aug', 'cityscapes', 'gta2cityscapes', 'synthia2cityscapes', 'kvasir', 'fonts2handwriting', 'cifar10'}


def metafile(folder):
    return yaml.safe_load((ROOT / 'configs' / folder / 'metafile.yml').read_text())


def test_the_index_names_metafiles_that_exist():
    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert {f'configs/{folder}/metafile.yml' for folder in FOLDERS} <= set(files)
    assert all((ROOT / file).is_file() for file in files)


@pytest.mark.parametrize('folder', FOLDERS)
def test_metafiles_list_every_config_of_the_data_sets(folder):
    content = metafile(folder)
    collections = {collection['Name'] for collection in content['Collections']}
    assert all((ROOT / collection['README']).is_file() for collection in content['Collections'])
    for model in content['Models']:
        assert (ROOT / model['Config']).is_file()
        assert Path(model['Config']).stem == model['Name']
        assert model['In Collection'] in collections
        assert 'Metrics' not in model['Results']  # nothing has been run
    listed = {model['Name'] for model in content['Models']}
    there = {path.stem for path in (ROOT / 'configs' / folder).glob('*.py') if DATA & {*re.split('[_-]', path.stem)}}
    assert there <= listed


@pytest.mark.parametrize('folder', FOLDERS)
def test_readmes_link_to_every_config_of_the_data_sets(folder):
    here = ROOT / 'configs' / folder
    links = re.findall(r'\]\(([^)#:]+)\)', (here / 'README.md').read_text())
    there = {path.name for path in here.glob('*.py') if DATA & {*re.split('[_-]', path.stem)}}
    assert there <= set(links)
