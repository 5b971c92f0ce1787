"""Reports as a browser shows them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from toys.run_folders import FINISHED, start, write_picture, write_run

from mmdmt.reports import write_report
from mmdmt.reports.plots import ENSEMBLE_COLOR, PEER_COLORS

CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason='no chromium on this machine: apt-get install chromium'),
]


def show(page: Path, folder: Path) -> SimpleNamespace:
    """Open a page: its document, its picture, what it asks the network for, what the console says."""
    folder.mkdir()
    flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars']
    flags += ['--disable-background-networking', '--disable-component-update', '--disable-sync']
    flags += [f'--user-data-dir={folder / "profile"}', '--host-resolver-rules=MAP * ~NOTFOUND']
    flags += ['--window-size=1200,6000', f'--screenshot={folder / "page.png"}', '--dump-dom']
    flags += ['--enable-logging=stderr', f'--log-net-log={folder / "net.json"}']
    result = subprocess.run(
        [CHROMIUM, *flags, page.as_uri()], capture_output=True, text=True, errors='replace', timeout=120, check=True
    )
    events = json.loads((folder / 'net.json').read_text())['events']
    # What the browser asks for on its own account has no origin; a page from a file has the origin 'null'.
    asked = [event['params'] for event in events if event.get('params', {}).get('initiator') == 'null']
    return SimpleNamespace(
        document=result.stdout,
        picture=np.asarray(Image.open(folder / 'page.png').convert('RGB')),
        requests=[params['url'] for params in asked if not params['url'].startswith(('file:', 'data:'))],
        console=[line for line in result.stderr.splitlines() if ':CONSOLE' in line],
    )


def has_color(picture, color):
    red, green, blue = bytes.fromhex(color.removeprefix('#'))
    return bool((np.abs(picture.astype(int) - (red, green, blue)).max(axis=2) <= 2).any())


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """A report that compares two runs, one of them with a picture."""
    root = tmp_path_factory.mktemp('reports')
    write_run(root / 'one')
    write_run(root / 'two', [start(seed=8), *FINISHED[1:]])
    write_picture(root / 'one' / 'pictures' / 'phase_1' / 'street.png', size=(320, 160), color=(7, 99, 201))
    write_report([root / 'one', root / 'two'], root / 'report.html')
    return root / 'report.html'


def test_a_browser_shows_numbers_plots_and_pictures_and_asks_for_nothing(page, tmp_path):
    shown = show(page, tmp_path / 'shown')
    assert shown.requests == []
    assert shown.console == []
    scores = re.findall(r'data-score="(\w+)">(\S+)', shown.document)
    assert scores == [('coco', '58.25'), ('imagenet', '55.50'), ('ensemble', '64.75')] * 2
    assert '58.25 ± 0.00' in shown.document
    for color in (*PEER_COLORS[:2], ENSEMBLE_COLOR, '#0763c9'):
        assert has_color(shown.picture, color), color
