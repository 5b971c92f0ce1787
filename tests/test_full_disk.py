"""Writers on a full disk: a sentence, nothing half-written, and the same call once there is room again."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from toys.full_disk import full_disk
from toys.run_folders import FINISHED, MANIFEST, write_run

from mmdmt.engine.best_weights import BestWeights
from mmdmt.labels.images.bank import ImageRecorder
from mmdmt.labels.labeled_files import note_files
from mmdmt.labels.pixels.bank import BankWriter
from mmdmt.preparation.image_lists import write_lists
from mmdmt.preparation.mask_conversion import convert_masks
from mmdmt.reports.page import write_report
from mmdmt.reports.record import keep_run
from mmdmt.visualization import AnnotatedImage, PhaseView, draw_data, draw_phase, draw_predictions

IMAGE, MASK = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
COLORS = (['sky'], [[0, 0, 255]])


def lists(folder):
    write_lists(folder / 'lists', {'labeled.txt': ['first'], 'split/unlabeled.txt': ['a' * 99]}, folder / 'data')


def bank_of_pixels(folder):
    with BankWriter(folder) as writer:
        writer.write(0, MASK, MASK.astype(np.float32))


def bank_of_images(folder):
    with ImageRecorder(folder, 9, 3) as recorder:
        recorder._scores += 1
    recorder.complete(0.5, **{key: getattr(MANIFEST, key) for key in ('run', 'phase', 'peer', 'weights', 'names')})


def best_weights(folder):
    torch.manual_seed(0)
    best = BestWeights('mIoU')
    best.folder = folder
    best.update({'left': nn.Linear(2, 2)}, {'left/mIoU': 50.0})


def look_at_images(folder):
    note_files(folder, [])


def manifest(folder):
    MANIFEST.write(folder)


def report(folder):
    write_report([folder.parent / 'run'], folder / 'report.html')


def record(folder):
    keep_run(folder.parent / 'run', folder)


def sheet_of_data(folder):
    draw_data(folder / 'data.png', [AnnotatedImage('a', IMAGE, MASK)], *COLORS)


def sheet_of_predictions(folder):
    draw_predictions(folder / 'predictions.png', [IMAGE], [MASK], {'left': [MASK]}, *COLORS)


def sheet_of_a_phase(folder):
    draw_phase(folder / 'phase.png', PhaseView(image=IMAGE, predictions={'left': MASK}), 'phase 1', *COLORS)


WRITERS = [
    lists,
    bank_of_pixels,
    bank_of_images,
    best_weights,
    look_at_images,
    manifest,
    report,
    record,
    sheet_of_data,
    sheet_of_predictions,
    sheet_of_a_phase,
]


@pytest.mark.parametrize('write', WRITERS, ids=lambda write: write.__name__)
def test_a_full_disk_is_a_sentence_and_the_call_can_be_repeated(write, tmp_path):
    write_run(tmp_path / 'run', entries=FINISHED)
    folder, sound = tmp_path / 'full', tmp_path / 'sound'
    folder.mkdir()
    sound.mkdir()
    write(sound)
    with full_disk(), pytest.raises(OSError, match=r'while this was written \(make room.*\): .*full'):
        write(folder)
    assert not [path for path in folder.rglob('*.tmp')]
    write(folder)
    assert names(folder) == names(sound)
    same = [path for path in names(sound) if Path(path).suffix in ('.txt', '.bin', '.npy', '.pth', '.png')]
    assert all((folder / path).read_bytes() == (sound / path).read_bytes() for path in same)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file())


def test_a_converted_mask_is_whole_or_not_there(tmp_path):
    Image.fromarray(MASK).save(tmp_path / 'label.png')
    files = ({'a': tmp_path / 'label.png'}, tmp_path / 'data', tmp_path / 'out', '.png')
    with pytest.raises(ValueError, match=r'\(make room'):
        convert_masks(*files, convert=_read_and_fill_the_disk, workers=1)
    assert not list((tmp_path / 'out').iterdir())
    assert convert_masks(*files, convert=_read, workers=1) == 1
    assert Image.open(tmp_path / 'out' / 'a.png').size == (8, 8)


def _read(path):
    return np.asarray(Image.open(path))


def _read_and_fill_the_disk(path):
    _HELD.append(full_disk())  # by a process of the conversion, until it ends
    _HELD[-1].__enter__()
    return _read(path)


_HELD = []
