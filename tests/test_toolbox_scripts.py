import sys

import pytest
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from toys.segmentation import TRAIN_PIPELINE, mutual_dataset, run_config, shapes

from mmdmt.registry import type_name, with_named_types
from mmdmt.scripts import run_toolbox_script


@pytest.mark.parametrize('script', ['train.py', 'test.py'])
def test_a_config_that_does_not_exist_is_named(tmp_path, monkeypatch, script):
    monkeypatch.setattr(sys, 'argv', [script, str(tmp_path / 'mine.py')])
    with pytest.raises(SystemExit, match='mine.py does not exist: give the config'):
        run_toolbox_script(script)


def test_images_of_a_run_have_numbers(shapes_folder, mmseg_scope):
    dataset = DATASETS.build(mutual_dataset(shapes_folder))
    items = list(dataset)
    assert len(items) == len(dataset) == 16
    assert all((item['data_samples'].gt_sem_seg.data == 255).all() for item in items[6:])
    assert not any((item['data_samples'].gt_sem_seg.data == 255).all() for item in items[:6])


@pytest.mark.whole_run
def test_labeled_images_can_be_a_mosaic(shapes_folder, tmp_path):
    config = run_config(shapes_folder, tmp_path)
    crop, data = {'type': 'RandomCrop', 'crop_size': (32, 32)}, config.train_dataloader.dataset
    data.labeled = {
        'type': 'MultiImageMixDataset',
        'dataset': shapes(shapes_folder, 'labeled.txt', pipeline=TRAIN_PIPELINE[:2]),
        'pipeline': [{'type': 'RandomMosaic', 'prob': 1.0, 'img_scale': (32, 32)}, crop, {'type': 'PackSegInputs'}],
    }
    loading, packing = {'type': 'mmdmt.LoadPseudoLabel'}, {'type': 'mmdmt.PackPseudoLabel'}
    data.unlabeled.pipeline = [TRAIN_PIPELINE[0], loading, crop, packing]
    Runner.from_cfg(config).train()
    assert (tmp_path / 'iter_9.pth').is_file()


def test_types_are_known_in_every_spelling():
    from mmseg.datasets.transforms import LoadAnnotations

    for kind in ('LoadAnnotations', 'mmseg.LoadAnnotations', LoadAnnotations):
        assert type_name({'type': kind}) == 'LoadAnnotations'
    assert with_named_types({'a': [{'type': LoadAnnotations}]}) == {'a': [{'type': 'mmseg.LoadAnnotations'}]}
