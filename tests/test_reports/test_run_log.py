from toys.run_folders import HEAD

from mmdmt.reports.log import read_logs

LOG = """2026/01/02 10:00:05 - mmengine - INFO - Phase 0 of 1, iterations 0 to 100: warm-up on 8 labeled images.
2026/01/02 10:00:06 - mmengine - WARNING - The file is
    very old.
2026/01/02 10:01:00 - mmengine - INFO - Iter(train) [ 50/200]  loss: 1.5
2026/01/02 10:02:05 - mmengine - INFO - Phase 1 of 1, iterations 100 to 200: 2 labeled images a batch.
2026/01/02 10:02:25 - mmengine - INFO - Phase 1: pseudo labels of 'coco'
2026/01/02 10:02:35 - mmengine - INFO - Phase 1: pseudo labels of 'imagenet'
"""
RESUMED = """2026/01/02 12:00:00 - mmengine - INFO - Phase 1 of 1, iterations 100 to 200: 2 labeled images a batch.
2026/01/02 12:00:01 - mmengine - WARNING - Once more.
2026/01/02 12:00:02 - mmengine - WARNING - Once more.
2026/01/02 12:01:00 - mmengine - INFO - Saving checkpoint at 150 iterations
"""


def read(tmp_path, *texts):
    files = [tmp_path / f'{number}.log' for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return read_logs(files)


def test_times_of_phases_and_labelings_come_from_the_lines(tmp_path):
    log = read(tmp_path, HEAD + LOG, RESUMED)
    assert log.phase_seconds == {0: 120, 1: 30 + 60}
    assert log.labeling_seconds == {1: 30}
    assert log.seconds == 155 + 60
    assert log.phases[1] == (100, 200, '2 labeled images a batch')
    assert log.reached == 150


def test_labels_are_a_part_of_the_phase_that_they_are_made_for(tmp_path):
    """They are made before the phase is entered, as long as they take."""
    labeled = """2026/01/02 10:00:05 - mmengine - INFO - Phase 0 of 2, iterations 0 to 100: warm-up on 8 labeled images.
2026/01/02 10:02:00 - mmengine - INFO - Saving checkpoint at 100 iterations
2026/01/02 10:02:01 - mmengine - INFO - Phase 1: labeling 500 images.
2026/01/02 10:12:01 - mmengine - INFO - Phase 1: pseudo labels of 'coco'
2026/01/02 10:12:11 - mmengine - INFO - Phase 1: pseudo labels of 'imagenet'
2026/01/02 10:12:12 - mmengine - INFO - Phase 1 of 2, iterations 100 to 120: 2 labeled images a batch.
2026/01/02 10:12:32 - mmengine - INFO - Phase 2: labeling 500 images.
2026/01/02 10:22:32 - mmengine - INFO - Phase 2: pseudo labels of 'coco'
2026/01/02 10:22:33 - mmengine - INFO - Phase 2 of 2, iterations 120 to 140: 2 labeled images a batch.
2026/01/02 10:23:33 - mmengine - INFO - Saving checkpoint at 140 iterations
"""
    log = read(tmp_path, HEAD + labeled)
    assert log.labeling_seconds == {1: 610, 2: 600}
    assert log.phase_seconds == {0: 116, 1: 631, 2: 661}


def test_warnings_are_whole_and_counted(tmp_path):
    log = read(tmp_path, HEAD + LOG, RESUMED)
    assert log.messages == {('WARNING', 'The file is\n    very old.'): 1, ('WARNING', 'Once more.'): 2}


def test_versions_and_seed_are_picked_from_the_environment(tmp_path):
    log = read(tmp_path, HEAD + LOG)
    assert log.environment['PyTorch'] == '2.14.1+cpu'
    assert log.environment['seed'] == '7'
    assert 'PyTorch compiling details' not in log.environment


def test_an_empty_log_says_nothing(tmp_path):
    log = read(tmp_path, '')
    assert (log.starts, log.seconds, log.reached) == ([], 0, 0)


def test_the_lists_of_images_are_those_that_the_last_start_named(tmp_path):
    line = '2026/01/02 10:00:05 - mmengine - INFO - List of labeled images: {}.\n'
    log = read(tmp_path, HEAD + line.format('40, no published list (SHA-256 1f0c2a9be7d3)'), line.format('92, VOC'))
    assert log.lists == {'labeled': '92, VOC'}
