"""What a run has told: its log, and the scalars of its backends."""

import json


def log_of(work_dir):
    """The text of the only log in a work_dir."""
    (path,) = work_dir.glob('*/*.log')
    return path.read_text()


def scalars_of(work_dir, key=''):
    """The entries of all starts of a run that hold a scalar, or any."""
    paths = sorted(work_dir.glob('*/vis_data/scalars.json'))
    entries = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [entry for entry in entries if not key or key in entry]


def events_of(work_dir, kind):
    """The events of a kind, of all starts of a run."""
    paths = sorted(work_dir.glob('*/events.jsonl'))
    events = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [event for event in events if event['event'] == kind]
