"""What exists is asked of the storage that a loader reads from."""

import pytest
from mmengine.dataset import Compose
from mmengine.fileio import BaseStorageBackend, register_backend
from mmengine.registry import DATASETS
from toys.segmentation import VAL_PIPELINE, shapes

from mmdmt.rules.source_files import check_files, check_folders, check_places

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@register_backend('shelf', force=True)
class Shelf(BaseStorageBackend):
    """Holds every file but those that are named."""

    def __init__(self, lacks=()):
        self.lacks = lacks

    def get(self, filepath):
        return b''

    def get_text(self, filepath, encoding='utf-8'):
        return ''

    def isfile(self, filepath):
        return not str(filepath).endswith(tuple(self.lacks))


def stored(shapes_folder, **storage):
    storage = {'backend': 'shelf', **storage}
    loading = [{**step, 'backend_args': storage} if 'Load' in step['type'] else step for step in VAL_PIPELINE]
    config = shapes(shapes_folder, 'val.txt', pipeline=loading)
    config['data_prefix'] = {'img_path': 'no_such_folder', 'seg_map_path': 'nor_this'}
    return config


def test_files_of_another_storage_are_not_looked_for_on_the_disk(shapes_folder):
    config = stored(shapes_folder)
    check_places('labeled', config)
    dataset = DATASETS.build(config)
    check_folders('the labeled dataset', dataset, ['img_path', 'seg_map_path'])
    check_files('the labeled dataset', dataset, ['img_path', 'seg_map_path'])


def test_a_file_that_another_storage_lacks_is_named(shapes_folder):
    dataset = DATASETS.build(stored(shapes_folder, lacks=['017.png']))
    with pytest.raises(FileNotFoundError, match=r'no_such_folder/017\.png does not exist'):
        check_files('the labeled dataset', dataset, ['img_path'])


def test_a_local_file_that_is_missing_is_named(shapes_folder):
    config = stored(shapes_folder)
    dataset = DATASETS.build({**config, 'pipeline': []})
    dataset.pipeline = Compose(VAL_PIPELINE)
    with pytest.raises(FileNotFoundError, match=r'no_such_folder \(img_path of the labeled dataset'):
        check_files('the labeled dataset', dataset, ['img_path'])
