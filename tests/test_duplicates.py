"""No two places of the package or of the configs share six lines, unless a reason is given here."""

from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
LENGTH = 6
TWO_BANKS = 'two banks with one way to open them, told apart by their manifests'
PIPELINES = 'loading, flipping and packing, as every config of MMSegmentation spells them out'
# Files that share lines, and why.
REASONS = {
    frozenset(('configs/custom/dmt_custom.py', 'configs/custom/dmt_custom_cpu.py')): (
        'two files to copy, each complete; a test holds them in step'
    ),
    frozenset(('mmdmt/apis/label_images.py', 'mmdmt/apis/onnx_export.py')): (
        'examples in docstrings, which build a model without a checkpoint'
    ),
    frozenset(('mmdmt/labels/images/bank.py', 'mmdmt/labels/pixels/bank.py')): TWO_BANKS,
    frozenset(('mmdmt/labels/images/labels.py', 'mmdmt/labels/pixels/labels.py')): (
        'the docstring of one method of the protocol'
    ),
    frozenset(('configs/_base_/datasets/camvid.py', 'configs/_base_/datasets/voc12aug.py')): PIPELINES,
    frozenset(f'configs/_base_/datasets/{name}.py' for name in ('camvid', 'cityscapes', 'voc12aug')): PIPELINES,
    frozenset(
        ('configs/_base_/datasets/cityscapes_half_all-labels.py', 'configs/_base_/datasets/voc12aug_all-labels.py')
    ): 'one plain data loader in the place of a mutual one',
    frozenset(
        ('configs/_base_/models/dmt_upernet_convnext-tiny.py', 'configs/_base_/models/segformer.py')
    ): "ImageNet's mean and deviation, in models of different architectures",
    frozenset(f'configs/_base_/models/{name}.py' for name in ('dino', 'dmt_upernet_convnext-tiny', 'segformer')): (
        "ImageNet's mean and deviation, in models of different architectures"
    ),
    frozenset(('mmdmt/models/classifiers.py', 'mmdmt/models/segmentors.py')): (
        'the signature of one method of the protocol'
    ),
    frozenset(
        ('mmdmt/datasets/transforms/load_npy.py', 'mmdmt/datasets/transforms/load_tiff.py')
    ): 'how a loader hands over an array, and its docstring',
}


def code_of(path):
    """The lines that say something: no blank ones, comments or closing brackets."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line.strip('()[]{},"') and not line.startswith('#')]


def shared():
    places = defaultdict(set)
    for path in sorted([*(ROOT / 'mmdmt').rglob('*.py'), *(ROOT / 'configs').rglob('*.py')]):
        lines = code_of(path) if '.mim' not in path.parts else []
        for start in range(len(lines) - LENGTH + 1):
            window = tuple(lines[start : start + LENGTH])
            if not all(line.startswith(('import ', 'from ')) for line in window):
                places[window].add(path.relative_to(ROOT).as_posix())
    return {frozenset(files): '\n'.join(window) for window, files in places.items() if len(files) > 1}


def test_no_two_files_share_six_lines_without_a_reason():
    found = {files: text for files, text in shared().items() if files not in REASONS}
    assert not found, '\n\n'.join(f'{sorted(files)}:\n{text}' for files, text in found.items())


def test_every_reason_is_still_needed():
    assert set(REASONS) <= set(shared())
