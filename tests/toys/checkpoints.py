"""A run as it was some iterations ago."""

import shutil

from mmdmt.engine.run_record import RunRecord


def take_back(work_dir, iteration, copy=None):
    """Copy the checkpoint of an iteration, and the record of the run as it was then; or take back the run itself."""
    copy = copy or work_dir
    copy.mkdir(exist_ok=True)
    if copy != work_dir:
        shutil.copy(work_dir / f'iter_{iteration}.pth', copy)
    record = RunRecord.read(work_dir, work_dir)
    RunRecord(copy, copy, checkpoints=record.checkpoints).begin(record.run, record.settings, iteration)
