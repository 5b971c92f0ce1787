"""Hand the feature maps of a vision transformer to DPT's head, which asks for a class token beside each."""

from collections.abc import Sequence

from torch import Tensor, nn

from mmdmt.registry import MODELS


@MODELS.register_module()
class NoClassToken(nn.Module):
    """A neck before MMSegmentation's ``DPTHead``, which takes pairs of a map and a class token and reads the map alone.

    Backbones such as MMPretrain's ``VisionTransformer`` with ``out_type='featmap'`` give only maps.
    """

    def forward(self, inputs: Sequence[Tensor]) -> tuple[tuple[Tensor, None], ...]:
        """Pair every feature map, (N, C, h, w), with None."""
        return tuple((features, None) for features in inputs)
