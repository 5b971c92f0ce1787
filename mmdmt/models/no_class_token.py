"""Hand the feature maps of a vision transformer to DPT's head, which asks for a class token beside each."""

from collections.abc import Sequence

from torch import Tensor, nn

from mmdmt.registry import MODELS


@MODELS.register_module()
class NoClassToken(nn.Module):
    """Pair every feature map with no class token: a neck before MMSegmentation's ``DPTHead``.

    ``DPTHead`` takes pairs of a map and a class token, and with ``readout_type='ignore'``, its default, reads the map
    alone. Backbones such as MMPretrain's ``VisionTransformer`` with ``out_type='featmap'`` give only maps.
    """

    def forward(self, inputs: Sequence[Tensor]) -> tuple[tuple[Tensor, None], ...]:
        """Make the pairs.

        Args:
            inputs (Sequence[Tensor]): Feature maps, (N, C, h, w) each.

        Returns:
            tuple[tuple[Tensor, None], ...]: Each with None in the place of its class token.
        """
        return tuple((features, None) for features in inputs)
