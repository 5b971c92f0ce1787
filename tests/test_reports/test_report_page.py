import math
import pickle
import re
import runpy
import sys
from pathlib import Path

import pytest
from mmengine.runner import Runner
from PIL import Image
from toys.run_folders import (
    CONFIG,
    END,
    FINISHED,
    finished,
    labeling,
    start,
    training,
    validation,
    warning,
    write_picture,
    write_run,
)
from toys.segmentation import run_config

from mmdmt.reports import page, plots, write_report
from mmdmt.reports.run import read_run, series

ROOT = Path(__file__).parents[2]


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


def render(folders):
    return page.render([read_run(folder) for folder in folders])


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


def test_confidence_is_told_beside_accuracy_and_runs_that_have_not_noted_it_go_without(tmp_path):
    html = render([write_run(tmp_path / 'run')])
    text = text_of(html)
    assert 'coco | 12.50 |' in text
    assert 'ensemble | 6.25 | 1.61 | 3.12 |' in text
    assert '45.0 | 35.0 | 25.0 |' in text
    assert 'coco: calibration error 12.5 %. ensemble: calibration error 6.2 %.' in html
    older = [{key: value for key, value in entry.items() if key != 'reliability'} for entry in FINISHED]
    assert 'Confidence' not in text_of(render([write_run(tmp_path / 'older', older)]))


def test_pseudo_labels_are_told_by_labeler_quantity_class_and_phase(tmp_path):
    entries = [start(), training(50), labeling(100, 1, 20.0), training(150), labeling(200, 2, 40.0, ('road',))]
    text = text_of(render([write_run(tmp_path, entries)]))
    coco, imagenet = text.split('Labeled by ')[1:]
    for part in (coco, imagenet):
        assert 'Coverage (%) : share of the predicted pixels that is kept Phase | 1 | 2 | road | 20.0 | 40.0 |' in part
        assert 'all | 20.0 | 40.0 |' in part
        assert 'road | 93.8 | 93.8 |' in part
        assert 'all | 87.5 | 87.5 |' in part
        assert 'road | 68.8 | 68.8 |' in part
        assert 'mean | 75.0 | 75.0 |' in part
        assert 'light&gt; | 20.0 | none |' in part  # no label of it in phase 2


def test_phases_settings_versions_seeds_and_times_are_told(tmp_path):
    text = text_of(render([write_run(tmp_path)]))
    assert '0, warm-up | 0 to 100 | 8 |' in text
    assert '1 | 100 to 200 | 2 | 6 | 0.5 | 0.5 \N{MULTIPLICATION SIGN} base | 12 s | 4 min 0 s' in text
    assert 'torch | 2.14.1' in text
    assert '10:00:00 to 2026-01-02 10:06:00' in text
    assert 'Seed 7' in text
    assert 'DynamicMutualLoss (gamma_agree=3, gamma_disagree=-3)' in text
    assert 'An iteration (median) | 100 ms' in text


def test_every_plot_says_in_words_what_it_shows(tmp_path):
    html = render([write_run(tmp_path)])
    alts = re.findall(r'<figure role="img" aria-label="([^"]+)">', html)
    assert len(alts) == 6
    # The main one is there for narrow screens, too.
    assert html.count('<svg') == 7
    assert re.search(r'<div class="broad"><svg.*?</svg>\s*</div>\s*<div class="narrow"><svg', html, flags=re.DOTALL)
    assert alts[0] == (
        'mIoU on the validation set (%) over iterations. coco: 60 at iteration 100, 58.25 at iteration 200. '
        'imagenet: 50 at iteration 100, 55.5 at iteration 200. ensemble: 61 at iteration 100, 64.75 at iteration 200.'
    )
    assert len(set(re.findall(r'\bid="([^"]+)"', html))) == len(re.findall(r'\bid="([^"]+)"', html))


def test_names_and_messages_are_text_and_no_markup(tmp_path):
    write_run(tmp_path, [*FINISHED, warning('<b>bold</b> & old')])
    next(tmp_path.glob('*/vis_data/config.py')).write_text('x = "</pre><script>alert(1)</script>"')
    html = render([tmp_path])
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


ONE_PEER = {**CONFIG, 'model': {'peers': {'me': {'type': 'EncoderDecoder'}}}}
OF_ONE_PEER = {'event': 'validation', 'iteration': 200, 'values': {'me/mIoU': 44.0}}
NAN = [training(50, loss=math.nan, **{'coco.decode.loss_dmt': math.nan}), validation(200, math.nan, 50.0, 51.0)]
RUNS = {
    ', at iteration 150 of 200.': [start(), labeling(100, 1), validation(100, 60.0, 50.0, 61.0), training(150)],
    'No validation was logged.': [start(), training(50), training(200), END],
    '44.00 % mIoU': [start(config=ONE_PEER), {'loss': 1.0, 'me.decode.loss_dmt': 1.0, 'step': 200}, OF_ONE_PEER, END],
    '1 line could not be read': FINISHED,  # it was killed in a line
    'NaN % mIoU': [start(), *NAN, labeling(200, 1, coverage=math.nan), END],
    'the config does not tell how many were planned': FINISHED[1:],
    'at iteration 0 of 200.': [start()],
}


@pytest.mark.parametrize('told', RUNS)
def test_any_run_has_a_report(told, tmp_path):
    run = write_run(tmp_path / 'run', RUNS[told])
    if 'line' in told:
        with next(run.glob('*/events.jsonl')).open('a') as file:
            file.write('{"event": "valid')
    # The comparison has to do with it, and it has its own part below.
    text = text_of(render([run, write_run(tmp_path / 'finished')]))
    assert told in text.split('Made by')[0]
    assert text.count('Versions and times') == 4  # a link and a heading each


NULLS = {'event': 'validation', 'iteration': 200, 'values': {'coco/IoU/road': None, 'coco/aAcc': [1]}}
ODD = {'train_cfg': 3, 'custom_hooks': 7, 'optim_wrapper': [3], 'train_dataloader': None}
WRITTEN = {
    'settings of other types': [start(config={**CONFIG, **ODD}), *FINISHED[1:]],
    'nulls': [*FINISHED, NULLS],
    'an infinite step': [*FINISHED, {'step': math.inf, 'loss': 1.0}],
    'an infinite loss': [*FINISHED, training(50, loss=math.inf, **{'coco.decode.loss_dmt': math.inf})],
    'events of other types': [*FINISHED, {'event': 'phase'}, {'event': 'labels', 'phase': 1, 'values': 3}],
    'a picture of too many pixels': FINISHED,
    'a picture of 17000 rows': FINISHED,
}


@pytest.mark.parametrize('what', WRITTEN)
def test_one_odd_file_does_not_keep_the_report_from_being_made(tmp_path, what, monkeypatch):
    write_run(tmp_path / 'run', WRITTEN[what])
    if 'picture' in what:
        write_picture(tmp_path / 'run' / 'pictures' / 'end' / 'a.png', size=(10, 17000))
    if 'pixels' in what:
        monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 1000)
    write_run(tmp_path / 'sound', finished(10.0, 20.0, 30.0))
    # The rest of the run is shown, and so is what it is compared with.
    text = text_of(render([tmp_path / 'run', tmp_path / 'sound']))
    assert '64.75' in text
    assert '30.00' in text


def test_several_runs_are_compared_by_experiment(tmp_path):
    for seed, last in ((1, 60.0), (2, 64.0)):
        write_run(tmp_path / f'seed{seed}', finished(last, 50.0, 70.0, seed=seed))
    model = {**CONFIG['model'], 'loss': {**CONFIG['model']['loss'], 'gamma_agree': 5.0}}
    write_run(tmp_path / 'other', [start(config={**CONFIG, 'model': model}, name='changed'), *FINISHED[1:]])
    text = text_of(render([tmp_path / name for name in ('seed1', 'seed2', 'other')]))
    assert '2 experiments, 3 runs' in text
    assert (
        'tiny | 2 | 62.00 ± 2.83 | 62.00 ± 2.83 | 50.00 ± 0.00 | 50.00 ± 0.00 | 70.00 ± 0.00 | 70.00 ± 0.00 |' in text
    )
    assert 'changed | 1, one seed | 58.25 | 60.00 |' in text
    assert 'changed, less tiny | | -3.75 | | +5.50 | | -5.25 |' in text
    assert 'model.loss.gamma_agree | 3.0 | 5.0 |' in text


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'holds no \*/events.jsonl'):
        render([tmp_path])
    with pytest.raises(FileNotFoundError, match='no folder .*nowhere: give the --work-dir of a run'):
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


def test_the_tool_writes_into_a_runs_folder_and_for_several_where_told(tmp_path, monkeypatch, capsys):
    def tool(*arguments):
        monkeypatch.setattr(sys, 'argv', ['report.py', *arguments])
        runpy.run_path(str(ROOT / 'tools' / 'report.py'), run_name='__main__')

    monkeypatch.chdir(tmp_path)
    for name in ('one', 'two'):
        write_run(tmp_path / name)
    tool('one')
    assert capsys.readouterr().out.startswith('one/report.html (')
    assert 'data-score="ensemble">64.75' in Path('one/report.html').read_text()
    tool('one', 'two', '--out', 'both.html')
    assert '1 experiment, 2 runs' in Path('both.html').read_text()
    with pytest.raises(SystemExit, match=r'^\S+ holds no \S+, which a run with DMTHook writes when it starts: give'):
        tool('.')


@pytest.mark.whole_run
@pytest.mark.usefixtures('mmseg_scope')
def test_what_a_real_run_writes_is_understood(tmp_path, shapes_folder):
    config = run_config(shapes_folder, tmp_path, visualizer={'type': 'SegLocalVisualizer', 'name': tmp_path.name})
    config.visualizer.vis_backends = [{'type': 'LocalVisBackend'}]
    Runner.from_cfg(config).train()
    last = read_run(tmp_path).validations[-1]
    html = render([tmp_path])
    assert scores_of(html) == {name: f'{last[f"{name}/mIoU"]:.2f}' for name in ('left', 'right', 'ensemble')}
    text = text_of(html)
    assert 'Finished: all 9 iterations.' in text
    assert '2 | 6 to 9 | 1 | 3 | 1.0 | 1 \N{MULTIPLICATION SIGN} base |' in text
    assert 'Seed 0' in text
    assert re.search(r'Labeled images \d+, SHA-256 [0-9a-f]{12} Unlabeled images \d+, ', text)
    for title in ('Loss', 'Accuracy in training', 'Mean weight of a pixel', 'Disagreement', 'Learner wins'):
        assert f'aria-label="{title}' in html
    assert not read_run(tmp_path).unreadable
    for name in ('ground', 'square', 'disc'):
        assert re.search(rf'{name} \| \d', text)


def read(folder):
    run = read_run(folder)
    return run, [entry['step'] for entry in run.training], [entry['step'] for entry in run.validations]


def test_after_a_resume_the_later_entries_win(tmp_path):
    write_run(tmp_path, [start(), *(training(step) for step in (50, 100, 150)), validation(150, 1.0, 1.0, 1.0)])
    later = [start(100), training(150, loss=6.0), labeling(100, 1), validation(100, 1.0, 2.0, 3.0)]
    write_run(tmp_path, later, when='20260103_100000')
    run, trained, validated = read(tmp_path)
    assert (trained, validated, run.reached) == ([50, 100, 150], [100], 150)
    assert run.training[-1]['loss'] == 6.0
    assert [entry['phase'] for entry in run.labelings] == [1]


def test_a_run_that_was_started_anew_replaces_what_was_there(tmp_path):
    write_run(tmp_path, [start(), training(50), validation(50, 9.0, 9.0, 9.0), labeling(50, 1)])
    write_run(tmp_path, [start(), training(50, loss=6.0)], when='20260103_100000')
    run, trained, validated = read(tmp_path)
    assert (trained, validated, run.labelings, run.training[0]['loss']) == ([50], [], [], 6.0)


def test_nan_stays_where_it_was_logged_and_a_long_curve_becomes_means_of_neighbors(tmp_path):
    run = read_run(write_run(tmp_path, [start(), training(50, loss=math.nan), training(100)]))
    steps, values = series(run.training, 'loss')
    assert steps == [50, 100]
    assert math.isnan(values[0])
    steps, values = plots.thin(range(1, 8), [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 40.0], most=3)
    assert steps == [3, 6, 7]
    assert values == pytest.approx([3.0, 9.0, 40.0])
    assert plots.thin([1, 2], [5.0, 6.0]) == ([1, 2], [5.0, 6.0])
