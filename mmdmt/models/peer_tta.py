"""Average the predictions of several views of an image, for each peer and for the ensemble."""

from typing import Any

from mmengine.model import BaseTTAModel
from mmengine.structures import BaseDataElement
from torch import nn

from mmdmt.models.mutual_training import DynamicMutualTraining
from mmdmt.registry import MODELS, type_name


@MODELS.register_module()
class PeerTTAModel(BaseTTAModel):
    """Predict with test-time augmentation: the softmax of every peer is averaged over views, the ensemble over peers.

    ``tools/test.py --tta`` of ours and ``python -m mmdmt test --tta`` put it in the place of the toolboxes' own.

    Args:
        module (dict | nn.Module): A :class:`mmdmt.DynamicMutualTraining`.
        data_preprocessor (dict, optional): As of the model. Defaults to None.

    Raises:
        ValueError: If the model is another.
    """

    def __init__(self, module: Any, data_preprocessor: Any = None) -> None:
        super().__init__(module, data_preprocessor)
        if not isinstance(self.module, DynamicMutualTraining):
            raise ValueError(
                f"tta_model=dict(type='mmdmt.PeerTTAModel') got a {type(self.module).__name__}: take SegTTAModel of "
                'MMSegmentation or AverageClsScoreTTA of MMPretrain.'
            )

    def test_step(self, data: dict[str, Any]) -> list[BaseDataElement]:
        """Predict as :meth:`mmdmt.DynamicMutualTraining.test_step`; ``data`` has lists of all images for each view."""
        views = [
            self.module.predict_each({'inputs': inputs, 'data_samples': samples})
            for inputs, samples in zip(data['inputs'], data['data_samples'], strict=True)
        ]
        average = self.module.kind.average
        merged = {
            name: [average(of_image) for of_image in zip(*(view[name] for view in views), strict=True)]
            for name in self.module.peer_names
        }
        return self.module.combine(merged)

    def merge_preds(self, data_samples_list: Any) -> Any:
        """Not used: views are merged for each peer."""
        raise NotImplementedError


def with_peers(config: Any) -> Any:
    """Put :class:`PeerTTAModel` in place of a toolbox's around peers, in the ``model`` of a config, and return it."""
    if isinstance(config, nn.Module) or not isinstance(config.get('module'), dict):
        return config
    ours = type_name(config['module']) == DynamicMutualTraining.__name__
    if ours and type_name(config) in ('SegTTAModel', 'AverageClsScoreTTA'):
        config['type'] = 'mmdmt.PeerTTAModel'
    return config
