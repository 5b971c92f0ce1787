"""What is validated or tested on is checked as what is trained on."""

import logging
import shutil

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from toys.segmentation import VAL_PIPELINE, run_config, shapes

from mmdmt.engine.labeling_report import warn_of_absent_classes

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def data(shapes_folder, tmp_path):
    return shutil.copytree(shapes_folder, tmp_path / 'data')


def damage(path, change):
    cv2.imwrite(str(path), change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))


def tester(data, tmp_path, **settings):
    """A run that only tests."""
    config = run_config(data, tmp_path / 'run')
    config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
    config.test_cfg = {'type': 'TestLoop'}
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'val_dataloader', 'val_cfg'):
        config.pop(key)
    config.pop('val_evaluator')
    config.merge_from_dict(settings)
    return Runner.from_cfg(config)


def test_masks_of_a_test_are_checked_before_its_first_image(data, tmp_path):
    damage(data / 'masks' / '018.png', lambda mask: mask * 80)
    with pytest.raises(ValueError, match=r'masks/018.png holds labels 80, 160, but the 3 classes are 0\.\.2'):
        tester(data, tmp_path).test()


def test_what_a_test_ignores_is_compared_with_the_heads(data, tmp_path):
    with pytest.raises(ValueError, match='ignore_index is 255 in decode_head .* but 3 in PeerMetric of test_evaluator'):
        tester(data, tmp_path, **{'test_evaluator.metric.ignore_index': 3}).test()


def test_a_wrong_mask_that_was_not_looked_at_ends_the_validation(data, tmp_path):
    """Of 20 masks the run looks at 8 before it starts; number 1 is not among them."""
    for number in range(4, 16):
        image = cv2.imread(str(data / 'images' / f'{number:03d}.png'))
        cv2.imwrite(str(data / 'masks' / f'{number:03d}.png'), np.zeros(image.shape[:2], np.uint8))
    (data / 'all.txt').write_text(''.join(f'{number:03d}\n' for number in range(20)))
    damage(data / 'masks' / '001.png', lambda mask: mask + 1)
    part = shapes(data, 'all.txt', pipeline=VAL_PIPELINE)
    with pytest.raises(ValueError, match=r'masks/001.png holds label 3, but the 3 classes are 0\.\.2'):
        tester(data, tmp_path, **{'test_dataloader.dataset': part}).test()


def test_a_class_in_no_labeled_mask_is_a_warning(data, tmp_path, caplog):
    for number in range(6):
        damage(data / 'masks' / f'{number:03d}.png', lambda mask: np.where(mask == 1, 0, mask))
    runner = Runner.from_cfg(run_config(data, tmp_path / 'run'))
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.WARNING):
            warn_of_absent_classes(runner)
    finally:
        logger.removeHandler(caplog.handler)
    assert 'No labeled image shows square, which no peer can learn' in caplog.text
    assert 'disc' not in caplog.text
