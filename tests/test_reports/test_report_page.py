import base64
import io
import json
import math
import pickle
import re
import runpy
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner
from PIL import Image
from toys.run_folders import CONFIG, FINISHED, labeling, training, validation, write_picture, write_run
from toys.segmentation import run_config

from mmdmt.reports import plots, write_report
from mmdmt.reports.page import render
from mmdmt.reports.pictures import find_pictures
from mmdmt.reports.run import read_run

ROOT = Path(__file__).parents[2]
WARNING = '2026/01/02 10:00:06 - mmengine - WARNING - <b>bold</b> & old\n'


@pytest.fixture(scope='module', autouse=True)
def each_plot_drawn_once():
    """Most runs here have the same plots, and Matplotlib takes most of the time."""
    draw, drawn = plots._drawn, {}

    def draw_once(*arguments):
        key = pickle.dumps(arguments)
        if key not in drawn:
            drawn[key] = draw(*arguments)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, '_drawn', draw_once)
        yield


def text_of(html):
    """The text of a page, without its tags; cells are apart by a bar."""
    body = re.sub(r'<style>.*?</style>|<svg.*?</svg>', '', html, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', re.sub(r'\s*(</t[dh]>)?\s*<[^>]*>\s*', lambda tag: ' | ' if tag[1] else ' ', body))


def scores_of(html):
    return dict(re.findall(r'data-score="(\w+)">(\S+)', html))


def test_a_run_shows_its_last_and_best_results(tmp_path):
    html = render([write_run(tmp_path)])
    assert scores_of(html) == {'coco': '58.25', 'imagenet': '55.50', 'ensemble': '64.75'}
    text = text_of(html)
    assert 'best 60.00 at iteration 100' in text
    assert 'Finished: all 200 iterations.' in text
    assert 'road | 59.25 | 61.00 | 56.50 | 56.50 | 65.75 | 65.75 |' in text
    assert 'mIoU | 58.25 | 60.00 | 55.50 | 55.50 | 64.75 | 64.75 |' in text


def test_pseudo_labels_are_told_by_labeler_quantity_class_and_phase(tmp_path):
    entries = [training(50), labeling(100, 1, coverage=20.0), training(150), labeling(200, 2, coverage=40.0)]
    text = text_of(render([write_run(tmp_path, entries)]))
    coco, imagenet = text.split('Labeled by ')[1:]
    for part in (coco, imagenet):
        assert 'Coverage (%) : share of the predicted pixels that is kept Phase | 1 | 2 | road | 20.0 | 40.0 |' in part
        assert 'all | 20.0 | 40.0 |' in part
        assert 'road | 93.8 | 93.8 |' in part
        assert 'all | 87.5 | 87.5 |' in part
        assert 'road | 68.8 | 68.8 |' in part
        assert 'mean | 75.0 | 75.0 |' in part


def test_phases_settings_versions_seeds_and_times_are_told(tmp_path):
    log = '2026/01/02 10:03:00 - mmengine - INFO - Phase 1 of 1, iterations 100 to 200: pseudo labels.\n'
    log += '2026/01/02 10:05:30 - mmengine - INFO - Saving checkpoint at 200 iterations\n'
    text = text_of(render([write_run(tmp_path, log=log)]))
    assert '0, warm-up | 0 to 100 | 8 |' in text
    assert '1 | 100 to 200 | 2 | 6 | 0.5 | 0.5 \N{MULTIPLICATION SIGN} base | 12 s | 2 min 30 s' in text
    assert 'PyTorch | 2.14.1+cpu' in text
    assert 'Seed 7' in text
    assert 'DynamicMutualLoss (gamma_agree=3, gamma_disagree=-3)' in text
    assert 'An iteration (median) | 100 ms' in text


def test_every_plot_says_in_words_what_it_shows(tmp_path):
    html = render([write_run(tmp_path)])
    alts = re.findall(r'<figure role="img" aria-label="([^"]+)">', html)
    assert len(alts) == 5
    # The main one is there for narrow screens, too.
    assert html.count('<svg') == 6
    assert re.search(r'<div class="broad"><svg.*?</svg>\s*</div>\s*<div class="narrow"><svg', html, flags=re.DOTALL)
    assert alts[0] == (
        'mIoU on the validation set (%) over iterations. coco: 60 at iteration 100, 58.25 at iteration 200. '
        'imagenet: 50 at iteration 100, 55.5 at iteration 200. ensemble: 61 at iteration 100, 64.75 at iteration 200.'
    )
    assert len(set(re.findall(r'\bid="([^"]+)"', html))) == len(re.findall(r'\bid="([^"]+)"', html))


def test_names_and_messages_are_text_and_no_markup(tmp_path):
    config = CONFIG.replace("'somewhere'", "'</pre><script>alert(1)</script>'")
    html = render([write_run(tmp_path, config=config, log=WARNING)])
    assert 'traffic &lt;light&gt;' in html
    assert '<light>' not in html
    assert '&lt;b&gt;bold&lt;/b&gt; &amp; old' in html
    assert '<script' not in html


def test_pictures_stand_in_the_page_the_latest_phase_first(tmp_path):
    write_run(tmp_path)
    write_picture(tmp_path / 'pictures' / 'phase_2' / 'street.png')
    write_picture(tmp_path / 'pictures' / 'phase_10' / 'wide.png', size=(3200, 20))
    write_picture(tmp_path / 'pictures' / 'end' / 'street.png')
    write_picture(tmp_path / '20260102_100000' / 'vis_data' / 'vis_image' / 'val_0.png')
    write_picture(tmp_path / '20260102_100000' / 'vis_data' / 'vis_image' / 'picture_street_2.png')
    (tmp_path / 'pictures' / 'phase_2' / 'unfinished.png').write_bytes(b'\x89PNG')
    html = render([tmp_path])
    found = re.findall(r'<img src="data:image/webp;base64,[^"]+" alt="([^"]+)" width="(\d+)"', html)
    assert found == [
        ('End of training: street', '32'),
        ('Phase 10: wide', '1600'),
        ('Phase 2: street', '32'),
        ('Predictions: val_0', '32'),
    ]


def test_a_drawing_keeps_its_pixels_and_a_photograph_is_made_small(tmp_path):
    drawing = np.kron(np.random.default_rng(0).integers(0, 4, (9, 16)), np.ones((20, 20), int)).astype(np.uint8) * 80
    noise = np.random.default_rng(0).normal(128, 40, (180, 320)).clip(0, 255).astype(np.uint8)
    folder = tmp_path / 'pictures' / 'end'
    folder.mkdir(parents=True)
    for name, gray in (('drawing', drawing), ('photograph', noise)):
        Image.fromarray(gray).convert('RGB').save(folder / f'{name}.png')
    shown = {picture.name: picture for picture in find_pictures(tmp_path)['End of training']}
    contents = {name: base64.b64decode(picture.source.split(',')[1]) for name, picture in shown.items()}
    kept = Image.open(io.BytesIO(contents['drawing'])).convert('L')
    np.testing.assert_array_equal(np.asarray(kept), drawing)
    assert all(len(contents[name]) < (folder / f'{name}.png').stat().st_size for name in contents)


def unfinished(folder):
    return write_run(folder, [training(50), labeling(100, 1), *validation(100, 60.0, 50.0, 61.0), training(150)])


def without_validation(folder):
    return write_run(folder, [training(50), training(200)])


def of_one_peer(folder):
    entries = [{'loss': 1.0, 'me.decode.loss_dmt': 1.0, 'step': 200}, {'me/mIoU': 44.0, 'step': 200}]
    config = (
        CONFIG.replace('imagenet=dict', 'unused=dict') + "model = dict(peers=dict(me=dict(type='EncoderDecoder')))\n"
    )
    return write_run(folder, entries, config)


def of_a_plain_model(folder):
    config = CONFIG + "model = dict(type='EncoderDecoder')\n"
    return write_run(folder, [{'loss': 1.0, 'step': 200}, {'mIoU': 33.0, 'aAcc': 80.0, 'step': 200}], config)


def killed_in_a_line(folder):
    write_run(folder)
    (path,) = folder.glob('*/vis_data/scalars.json')
    path.write_text(path.read_text() + '{"coco/mIoU": 1')
    return folder


def with_nan(folder):
    nan = math.nan
    entries = [training(50, loss=nan, **{'coco.decode.loss_dmt': nan}), *validation(200, nan, 50.0, 51.0)]
    return write_run(folder, [*entries, labeling(200, 1, coverage=nan)])


def without_config_and_log(folder):
    write_run(folder, config='')
    next(folder.glob('*/*.log')).unlink()
    return folder


def empty(folder):
    return write_run(folder, [])


@pytest.mark.parametrize(
    ('make', 'told'),
    [
        (unfinished, 'Not finished: last seen on 2026-01-02, 10:00, at iteration 150 of 200.'),
        (without_validation, 'No validation was logged.'),
        (of_one_peer, '44.00 % mIoU'),
        (of_a_plain_model, '33.00 % mIoU'),
        (killed_in_a_line, '1 line of the scalars could not be read'),
        (with_nan, 'NaN % mIoU'),
        (without_config_and_log, 'No config was found.'),
        (empty, 'Not finished: last seen on 2026-01-02, 10:00, at iteration 0 of 200.'),
    ],
    ids=lambda value: getattr(value, '__name__', ''),
)
def test_any_run_has_a_report(make, told, tmp_path):
    # The comparison has to do with it, and it has its own part below.
    text = text_of(render([make(tmp_path / 'run'), write_run(tmp_path / 'finished')]))
    assert told in text.split('Made by')[0]
    assert text.count('Versions and times') == 4  # a link and a heading each


def test_coverage_that_rises_while_precision_falls_is_explained(tmp_path):
    def labeled(step, phase, coverage, precision):
        return {**labeling(step, phase, coverage), 'pseudo/coco/precision': precision}

    entries = [*FINISHED, labeled(100, 1, 20.0, 97.0), labeled(150, 2, 60.0, 88.5)]
    text = text_of(render([write_run(tmp_path / 'falls', entries)]))
    sentence = 'coco: from phase 1 to 2 coverage rises from 20.0 to 60.0 % while precision falls from 97.0 to 88.5 %.'
    assert sentence in text
    assert 'imagenet: from phase' not in text
    assert 'That is how it should be: a larger label ratio keeps less sure labels' in text
    rises = text_of(render([write_run(tmp_path / 'rises', [*FINISHED, labeled(150, 2, 60.0, 98.5)])]))
    assert 'coverage rises' not in rises


def test_peers_are_in_one_order_everywhere_that_of_the_log(tmp_path):
    # The dumped config has them in the order of the alphabet.
    entries = [{key.replace('coco', 'zebra'): value for key, value in entry.items()} for entry in FINISHED]
    config = CONFIG.replace('        coco=', '        zebra=')
    run = read_run(write_run(tmp_path / 'run', entries, config))
    assert run.peers == ('zebra', 'imagenet')
    alphabet = config.replace('zebra=', 'y=').replace('imagenet=', 'zebra=').replace('y=', 'imagenet=')
    assert read_run(write_run(tmp_path / 'sorted', entries, alphabet)).peers == ('zebra', 'imagenet')
    html = render([tmp_path / 'sorted', tmp_path / 'run'])
    for part in re.findall(r'<table.*?</table>|<p class="legend">.*?</p>|<div class="cards">.*?</section>', html, re.S):
        if 'zebra' in part and 'imagenet' in part:
            assert part.index('zebra') < part.index('imagenet')


def png_of_one_color(path, width, height):
    """Write a PNG of one bit a pixel, row by row: it may be larger than memory."""

    def chunk(kind, content):
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    packer = zlib.compressobj(9)
    rows = b''.join(packer.compress(bytes(1 + (width + 7) // 8)) for _ in range(height)) + packer.flush()
    header = struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0)
    parts = chunk(b'IHDR', header) + chunk(b'IDAT', rows) + chunk(b'IEND', b'')
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + parts)


def with_nulls(entries):
    return [{key: None if '/IoU/' in key else value for key, value in entry.items()} for entry in entries]


CHANGED = {
    'a picture of 17000 rows': lambda run: png_of_one_color(run / 'pictures' / 'end' / 'a.png', 100, 17000),
    'a picture of 400 million pixels': lambda run: png_of_one_color(run / 'pictures' / 'end' / 'a.png', 20000, 20000),
    'a folder for a log': lambda run: next(run.glob('*/vis_data')).parent.joinpath('x.log').mkdir(),
}
WRITTEN = {
    'tuples as keys': {'config': CONFIG + 'table = {(1, 2): 3, **model}\n'},
    'parts of other types': {
        'config': "model = 'x'\ntrain_cfg = dict(max_iters='10**3', val_interval='often')\noptim_wrapper = [3]\n"
        'custom_hooks = 7\ntrain_dataloader = dict(dataset=5)\nrandomness = dict([1], seed=3)\n'
    },
    'phases of other types': {'config': CONFIG.replace('iters=100, labeled', "iters='100', labeled")},
    'nesting without end': {'config': f'{CONFIG}x = {"[" * 5000}{"]" * 5000}\n'},
    'a damaged time': {'log': '2026/91/02 10:00:00 - mmengine - INFO - Phase 0 of 1, iterations 0 to 100: x.\n'},
    'nulls': {'entries': with_nulls(FINISHED)},
    'an infinite step': {'entries': [*FINISHED, {'step': math.inf, 'loss': 1.0}]},
    'an infinite loss': {'entries': [training(50, loss=math.inf, **{'coco.decode.loss_dmt': math.inf}), *FINISHED]},
    'a list for an entry': {'entries': [[1, 2], *FINISHED]},
}


@pytest.mark.parametrize('what', [*CHANGED, *WRITTEN])
def test_one_odd_file_does_not_keep_the_report_from_being_made(tmp_path, what):
    write_run(tmp_path / 'run', **WRITTEN.get(what, {}))
    CHANGED.get(what, lambda run: None)(tmp_path / 'run')
    write_run(tmp_path / 'sound', validation(200, 10.0, 20.0, 30.0))
    # The rest of the run is shown, and so is what it is compared with.
    text = text_of(render([tmp_path / 'run', tmp_path / 'sound']))
    assert '64.75' in text
    assert '30.00' in text


def test_several_runs_are_compared_by_experiment(tmp_path):
    for seed, last in ((1, 60.0), (2, 64.0)):
        config = CONFIG.replace('seed=7', f'seed={seed}')
        write_run(tmp_path / f'seed{seed}', validation(200, last, 50.0, 70.0), config)
    write_run(tmp_path / 'other', FINISHED, CONFIG.replace('gamma_agree=3.0', 'gamma_agree=5.0'), name='changed')
    text = text_of(render([tmp_path / name for name in ('seed1', 'seed2', 'other')]))
    assert '2 experiments, 3 runs' in text
    assert (
        'tiny | 2 | 62.00 ± 2.83 | 62.00 ± 2.83 | 50.00 ± 0.00 | 50.00 ± 0.00 | 70.00 ± 0.00 | 70.00 ± 0.00 |' in text
    )
    assert 'changed | 1 | 58.25 | 60.00 |' in text
    assert 'model.loss.gamma_agree | 3.0 | 5.0 |' in text


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'holds no \*/vis_data/scalars.json'):
        render([tmp_path])
    with pytest.raises(FileNotFoundError, match='is not a folder: give the --work-dir of a run'):
        render([tmp_path / 'nowhere'])
    write_run(tmp_path / 'run')
    with pytest.raises(ValueError, match='is given twice'):
        write_report([tmp_path / 'run', tmp_path / 'other' / '..' / 'run'], tmp_path / 'report.html')


def test_nothing_but_a_report_is_replaced(tmp_path):
    out = tmp_path / 'out' / 'report.html'
    write_run(tmp_path / 'run')
    for _ in range(2):
        write_report([tmp_path / 'run'], out)
    assert [path.name for path in out.parent.iterdir()] == ['report.html']
    out.write_text('<html>my own page</html>')
    with pytest.raises(FileExistsError, match='no report of mmdmt, and is not overwritten'):
        write_report([tmp_path / 'run'], out)
    assert out.read_text() == '<html>my own page</html>'


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The script, run in a folder as from a command line."""

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['report.py', *arguments])
        runpy.run_path(str(ROOT / 'tools' / 'report.py'), run_name='__main__')

    monkeypatch.chdir(tmp_path)
    return run


def test_the_tool_writes_into_a_runs_folder_and_for_several_where_told(tool, tmp_path, capsys):
    for name in ('one', 'two'):
        write_run(tmp_path / name)
    tool('one')
    assert capsys.readouterr().out.startswith('one/report.html (')
    assert 'data-score="ensemble">64.75' in (tmp_path / 'one' / 'report.html').read_text()
    tool('one', 'two', '--out', 'both.html')
    assert '1 experiment, 2 runs' in (tmp_path / 'both.html').read_text()


def test_the_tool_ends_with_a_sentence(tool):
    with pytest.raises(
        SystemExit, match=r'^\S+ holds no \S+, which a run writes with its first logged iteration: give'
    ):
        tool('.')


@pytest.mark.whole_run
@pytest.mark.usefixtures('mmseg_scope')
def test_what_a_real_run_writes_is_understood(tmp_path, shapes_folder):
    config = run_config(shapes_folder, tmp_path, visualizer={'type': 'SegLocalVisualizer', 'name': tmp_path.name})
    config.visualizer.vis_backends = [{'type': 'LocalVisBackend'}]
    Runner.from_cfg(config).train()
    (scalars,) = tmp_path.glob('*/vis_data/scalars.json')
    last = [entry for entry in map(json.loads, scalars.read_text().splitlines()) if 'ensemble/mIoU' in entry][-1]
    html = render([tmp_path])
    assert scores_of(html) == {name: f'{last[f"{name}/mIoU"]:.2f}' for name in ('left', 'right', 'ensemble')}
    text = text_of(html)
    assert 'Finished: all 9 iterations.' in text
    assert '2 | 6 to 9 | 1 | 3 | 1.0 | 1 \N{MULTIPLICATION SIGN} base |' in text
    assert 'Seed 0' in text
    assert re.search(r'Labeled images \d+, no published list \(SHA-256 [0-9a-f]{12}\) Unlabeled images \d+, ', text)
    for title in ('Loss', 'Accuracy in training', 'Mean weight of a pixel', 'Disagreement', 'Learner wins'):
        assert f'aria-label="{title}' in html
    for name in ('ground', 'square', 'disc'):
        assert re.search(rf'{name} \| \d', text)
