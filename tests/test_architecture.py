"""The house as its imports draw it: which room knows which."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / 'mmdmt'
MM_PACKAGES = {'mmengine', 'mmcv', 'mmseg', 'mmpretrain'}
PURE = [
    *(f'method/{path.name}' for path in sorted((ROOT / 'method').glob('*.py'))),
    'labels/pixels/codec.py',
    'settings.py',
    'atomic_write.py',
    'command_line.py',
    'integrity.py',
    'stop_signal.py',
    'folders.py',
    'preparation/image_lists.py',
    'preparation/known_lists.py',
    'preparation/list_import.py',
    'preparation/near_duplicates.py',
    'preparation/own_data.py',
    'preparation/published_splits.py',
    'preparation/splits.py',
    *(f'reports/{path.name}' for path in sorted((ROOT / 'reports').glob('*.py'))),
]
# Rooms inside of a room that others may enter without entering the whole.
SUBROOMS = {'models/backbones', 'models/decode_heads'}
# What stands on Python alone and every room may import.
FOUNDATIONS = {'atomic_write', 'command_line', 'evaluation_mode', 'folders', 'integrity', 'settings', 'stop_signal'}
# Each room and the rooms that it may import besides.
ARROWS = {
    'apis': {
        'engine',
        'method',
        'losses',
        'labels',
        'rules',
        'models',
        'datasets',
        'preparation',
        'visualization',
        'registry',
        'version',
    },
    'engine': {
        'method',
        'labels',
        'rules',
        'models',
        'losses',
        'datasets',
        'evaluation',
        'visualization',
        'registry',
        'version',
    },
    'evaluation': {'method', 'models', 'registry'},
    'preparation': {'rules', 'labels', 'models', 'registry'},
    'datasets': {'method', 'labels', 'rules', 'preparation', 'registry'},
    'models': {'method', 'rules', 'losses', 'mixes', 'models/backbones', 'models/decode_heads', 'registry'},
    'labels': {'method', 'rules', 'registry'},
    'rules': {'registry'},
    'losses': {'method', 'registry'},
    'mixes': {'method', 'registry'},
    'models/backbones': {'registry'},
    'models/decode_heads': {'registry'},
    'method': set(),
    'visualization': set(),
    'reports': set(),
    'registry': set(),
    'settings': set(),
    'atomic_write': set(),
    'command_line': set(),
    'evaluation_mode': set(),
    'integrity': set(),
    'config_table': set(),
    'stop_signal': set(),
    'folders': set(),
    'compat': set(),
    'version': set(),
    '__init__': {'compat', 'version'},
    '__main__': {'scripts', 'version'},
    'scripts': {'engine'},
}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: imports are absolute'
            if node.module == 'mmdmt':
                yield from (f'mmdmt.{alias.name}' for alias in node.names)
            else:
                yield node.module


def room(parts):
    """The room of a module, by the parts of its path or name below the package."""
    inner = '/'.join(parts[:2])
    return inner if inner in SUBROOMS else parts[0]


def room_of(path):
    return room(path.relative_to(ROOT).with_suffix('').parts)


@pytest.mark.parametrize('path', sorted(ROOT.rglob('*.py')), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    own = room_of(path)
    known = {room(name.split('.')[1:]) for name in imports_of(path) if name.startswith('mmdmt.')} - {own} - FOUNDATIONS
    assert known <= ARROWS[own], f'{own} imports {known - ARROWS[own]}'


@pytest.mark.parametrize('name', PURE)
def test_pure_rooms_import_no_mm_package(name):
    packages = {imported.split('.')[0] for imported in imports_of(ROOT / name)}
    assert not packages & MM_PACKAGES


def test_every_module_of_the_package_stands_in_a_room():
    assert {room_of(path) for path in ROOT.rglob('*.py')} == set(ARROWS)


@pytest.mark.process
def test_a_type_in_a_config_imports_us():
    code = (
        'import sys\n'
        'from mmengine.registry import DATA_SAMPLERS, DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS\n'
        'from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS\n'
        'assert "mmdmt" not in sys.modules\n'
        'for registry, name in ((MODELS, "DynamicMutualTraining"), (MODELS, "DynamicMutualLoss"), (HOOKS, "DMTHook"),\n'
        '                       (OPTIM_WRAPPER_CONSTRUCTORS, "PeerOptimWrapperConstructor"),\n'
        '                       (DATASETS, "MutualDataset"), (DATASETS, "DigitScenes"), (METRICS, "PeerMetric"),\n'
        '                       (DATA_SAMPLERS, "MutualBatchSampler"), (TRANSFORMS, "LoadPseudoLabel")):\n'
        '    found = registry.get(f"mmdmt.{name}")\n'
        '    assert found is not None and found.__name__ == name, name\n'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr


def unsafe_reads(path):
    """Calls that may unpickle: of pickle itself, and of the loaders of torch and numpy without their safe option."""
    safe = {'torch.load': ('weights_only', True), 'np.load': ('allow_pickle', False)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            options = {word.arg: getattr(word.value, 'value', None) for word in node.keywords}
            if name.startswith('pickle.load') or (name in safe and options.get(safe[name][0]) is not safe[name][1]):
                yield f'{path}:{node.lineno} {name}'


def test_nothing_is_unpickled_unsafely():
    files = [*ROOT.rglob('*.py'), *(ROOT.parent / 'tools').rglob('*.py')]
    assert [read for path in files if '.mim' not in path.parts for read in unsafe_reads(path)] == []


@pytest.mark.process
@pytest.mark.parametrize('name', ['datasets', 'models', 'labels'])
def test_every_room_can_be_the_first_that_is_imported(name):
    code = f'import mmdmt.{name}'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr


WRITES = {
    'write_text',
    'write_bytes',
    'savefig',
    'imwrite',
    'imsave',
    'tofile',
    'dump',
    'save',
    'savez',
    'save_checkpoint',
}
ROOM_FOR_WRITES = {'atomic_write', 'room_to_write'}


def unguarded_writes(path):
    """Calls that write a file, but stand in no block of atomic_write or room_to_write; buffers in memory aside."""

    def walk(node, guarded, buffers):
        if isinstance(node, ast.FunctionDef):
            made = [child for child in ast.walk(node) if isinstance(child, ast.Assign)]
            buffers = {ast.unparse(one.targets[0]) for one in made if ast.unparse(one.value).endswith('BytesIO()')}
        if isinstance(node, ast.With):
            guarded = guarded or any(
                isinstance(item.context_expr, ast.Call) and ast.unparse(item.context_expr.func) in ROOM_FOR_WRITES
                for item in node.items
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not guarded:
            arguments = {ast.unparse(argument) for argument in node.args}
            modes = {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
            opens = node.func.attr == 'open' and any(str(mode)[:1] in 'wax' for mode in modes)
            if (node.func.attr in WRITES or opens) and not arguments & buffers:
                yield f'{path.relative_to(ROOT.parent)}:{node.lineno} {ast.unparse(node.func)}'
        for child in ast.iter_child_nodes(node):
            yield from walk(child, guarded, buffers)

    return walk(ast.parse(path.read_text()), False, set())


def test_all_writers_go_through_the_functions_that_know_a_full_disk():
    # What measures on the machine of a developer may end with a stack trace.
    files = [
        *ROOT.rglob('*.py'),
        *(path for path in (ROOT.parent / 'tools').rglob('*.py') if 'benchmarks' not in path.parts),
    ]
    found = [write for path in files if '.mim' not in path.parts for write in unguarded_writes(path)]
    assert found == []
