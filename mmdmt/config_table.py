"""Compose the runs of today's tables: each list of labeled images with each network and each method.

``python -m mmdmt config NAME > mine.py`` prints one of them as a config that stands alone. A name says method, network,
list and crop: ``dmt-recipe_dinov2-s_1xb8_voc12aug-classic92-518x518``.
"""

import inspect
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.runner import Runner


class Network(NamedTuple):
    """A pair of networks on a data set: what it is, the side of its crops in pixels, and its file in _base_/runs."""

    title: str
    side: int
    base: str


#: A wheel carries the configs in .mim; in a checkout they stand beside the package.
FOLDERS = (Path(__file__).parent / '.mim' / 'configs', Path(__file__).parents[1] / 'configs')
#: What Runner reads of a config; other names in a config are there for other lines of configs.
READ = {*inspect.signature(Runner).parameters, 'custom_imports', 'model_wrapper_cfg'}

#: Of each data set: name of the list, what it is, and its two files below splits.
LISTS = {
    'voc12aug': {
        'classic92': ('VOC classic 92', 'voc12aug/classic/{}_92.txt'),
        'classic366': ('VOC classic 366', 'voc12aug/classic/{}_366.txt'),
        'unimatch1of16': ('VOC blended 1/16 (662) of UniMatch', 'voc12aug/unimatch/{}_1of16.txt'),
        'unimatch1of8': ('VOC blended 1/8 (1323) of UniMatch', 'voc12aug/unimatch/{}_1of8.txt'),
    },
    'cityscapes': {
        'unimatch1of16': ('Cityscapes 1/16 (186) of UniMatch', 'cityscapes/unimatch/{}_1of16.txt'),
        'unimatch1of8': ('Cityscapes 1/8 (372) of UniMatch', 'cityscapes/unimatch/{}_1of8.txt'),
    },
}
R101, DINOV2 = 'DeepLabV3+ on a ResNet-101, twice', 'DINOv2-S under UPerNet and under DPT'
DINOV3 = "DINOv3's ViT-S and ConvNeXt-T under UPerNet"
NETWORKS = {
    'voc12aug': {
        'deeplabv3plus-r101': [Network(R101, 321, 'voc12aug_deeplabv3plus-r101.py')],
        'dinov2-s': [Network(DINOV2, 518, 'voc12aug_dinov2-s.py')],
        'dinov3-s': [Network(DINOV3, 512, 'voc12aug_dinov3-s.py')],
    },
    'cityscapes': {
        'deeplabv3plus-r101': [
            Network(R101, 801, 'cityscapes_deeplabv3plus-r101.py'),
            Network(R101, 769, 'cityscapes_deeplabv3plus-r101_769.py'),
        ],
        'dinov2-s': [Network(DINOV2, 798, 'cityscapes_dinov2-s.py')],
        'dinov3-s': [Network(DINOV3, 768, 'cityscapes_dinov3-s.py')],
    },
}
METHODS = {
    'dmt': "the paper's five phases",
    'supervised-long': 'labels alone, as long as DMT',
    'dmt-recipe': 'the recipe, as long as DMT',
}

#: Labels alone as long as DMT, by data set.
LENGTHS = {'voc12aug': 35000, 'cityscapes': 40000}
#: One phase of online labels in place of five, as long as they. A labeler sees the colors of the file. Exponents above
#: 1 would weigh most labels of strong views away.
RECIPE = """
train_dataloader = dict(dataset=dict(learner_view=_base_.strong_views))
model = dict(mixes=_base_.cutmix, loss=dict(gamma_agree=1.0, gamma_disagree=1.0))
phases = dict(iters=30000, labeled=4, pseudo=4, online=_base_.online)
custom_hooks = [dict(_base_.custom_hooks[0], **phases), _base_.average]
"""
WITHOUT_COLORS = """
colorless = [step for step in _base_.train_pipeline if step['type'] != 'PhotoMetricDistortion']
train_dataloader['dataset']['labeled'] = dict(pipeline=colorless)
"""


def names() -> dict[str, str]:
    """Map the name of each run to a sentence that says what it is."""
    return {
        f'{method}_{network}_1xb8_{data}-{one}-{kind.side}x{kind.side}': f'{title}; {kind.title}; {way}'
        for data, lists in LISTS.items()
        for one, (title, _) in lists.items()
        for network, kinds in NETWORKS[data].items()
        for kind in kinds
        for method, way in METHODS.items()
    }


def compose(name: str) -> Config:
    """Compose the config of a run, one of :func:`names`: what the run reads, and nothing else.

    Raises:
        ValueError: If there is no such name.

    Example:
        >>> config = compose('dmt_dinov2-s_1xb8_voc12aug-classic92-518x518')
        >>> config.train_dataloader.dataset.lists, config.custom_hooks[0].warm_up
        ('splits/voc12aug/classic/{}_92.txt', 5000)
    """
    if name not in names():
        close = get_close_matches(name, names(), n=3)
        raise ValueError(
            f'the table has no run {name!r}: '
            + (f'is one of {", ".join(close)} meant?' if close else '`python -m mmdmt config` lists them.')
        )
    method, network, _, where = name.split('_')
    data, one, crop = where.split('-')
    kind = next(kind for kind in NETWORKS[data][network] if crop == f'{kind.side}x{kind.side}')
    folder = next(folder for folder in FOLDERS if folder.is_dir()) / '_base_'
    bases = [folder / 'runs' / kind.base, *[folder / 'recipes' / 'field.py'] * (method == 'dmt-recipe')]
    text = f'_base_ = {[str(base) for base in bases]}\n'
    if method == 'supervised-long':
        text += f'custom_hooks = [dict(_base_.custom_hooks[0], warm_up={LENGTHS[data]}, ratios=())]\n'
    if method == 'dmt-recipe':
        text += RECIPE + (WITHOUT_COLORS if data == 'cityscapes' else '')
    config: dict[str, Any] = Config.fromstring(text, '.py').to_dict()
    config['train_dataloader']['dataset']['lists'] = f'splits/{LISTS[data][one][1]}'
    return Config({key: value for key, value in config.items() if key in READ})
