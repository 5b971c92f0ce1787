"""Data workers outlive what is meant for the run, and say nothing when it ends before them."""

import multiprocessing
import os
import socket
import sys
from multiprocessing.resource_sharer import DupFd
from pathlib import Path

import pytest

from mmdmt.loader_workers import OutliveSignals


def _share_and_wait(errors, pipe, error):
    sys.stderr = errors.open('w', buffering=1)
    OutliveSignals()(0)
    with Path(os.devnull).open() as shared:
        pipe.send(DupFd(shared.fileno())._id[0])
        pipe.recv()
    if error is not None:
        sys.excepthook(type(error), error, None)
    os._exit(0)


@pytest.mark.process
@pytest.mark.parametrize(('error', 'printed'), [(None, ''), (ValueError('a fault'), 'ValueError: a fault\n')])
def test_a_worker_reports_its_errors_but_not_that_the_run_has_hung_up(tmp_path, error, printed):
    ours, theirs = multiprocessing.Pipe()
    errors = tmp_path / 'errors'
    worker = multiprocessing.get_context('fork').Process(target=_share_and_wait, args=(errors, theirs, error))
    worker.start()
    address = ours.recv()
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as run:
            run.connect(address)  # and ends before it has taken what is shared
    ours.send('end')
    worker.join(60)
    assert worker.exitcode == 0
    assert errors.read_text() == printed
