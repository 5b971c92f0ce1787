"""Load the weights that timm offers into MMPretrain's TIMMBackbone, when a run starts and not when a model is built."""

from typing import Any

from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import nn

from mmdmt.registry import WEIGHT_INITIALIZERS


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
