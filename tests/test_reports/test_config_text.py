from toys.run_folders import CONFIG

from mmdmt.reports.config_text import flatten, read_config


def test_a_dumped_config_is_read_as_settings():
    config = read_config(CONFIG)
    assert config['custom_hooks'][0]['phases'][1] == dict(
        iters=100, label_ratio=0.5, labeled=2, lr_factor=0.5, pseudo=6
    )
    assert config['model']['loss']['gamma_disagree'] == -3
    assert list(config['model']['peers']) == ['coco', 'imagenet']


def test_a_config_is_never_run(tmp_path):
    victim = tmp_path / 'victim'
    config = read_config(
        f"import os\nx = open({str(victim)!r}, 'w')\ny = dict(z=float('inf'), a=(1, 2))\nopen('z', 'w')\n"
    )
    assert config == {'x': f"open({str(victim)!r}, 'w')", 'y': {'z': "float('inf')", 'a': [1, 2]}}
    assert not victim.exists()


def test_what_is_no_python_gives_no_settings():
    assert read_config('model = dict(') == {}
    assert read_config('a = "\0"') == {}


def test_names_lead_to_nested_values_and_plain_lists_stay_whole():
    assert flatten({'a': {'b': [{'c': 1}, {'c': [1, 2]}]}, 'd': []}) == {'a.b.0.c': 1, 'a.b.1.c': [1, 2], 'd': []}
