"""Load the pseudo label of a whole image."""

from typing import Any

from mmcv.transforms import BaseTransform

from mmdmt.labels.images.bank import open_score_bank
from mmdmt.method.draws import ONLINE, TRUTH
from mmdmt.method.weights import ORACLE
from mmdmt.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadPseudoImageLabel(BaseTransform):
    """Load the class that a labeler gives an image, from the bank.

    All that stands before it is done for labeling, too, and must not be random. ``PackInputs`` at the end of the
    pipeline needs ``algorithm_keys=('pseudo_confidence',)``.

    Required keys: ``pseudo_label``, the bank's folder and the number of the image, as :class:`mmdmt.MutualDataset`
    gives it. Added keys: ``gt_label`` (int, the class of highest score) and ``pseudo_confidence`` (float, that score).
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load it."""
        folder, number = results['pseudo_label']
        if folder == ONLINE:  # the label is made in the iteration
            return results
        if folder == TRUTH:
            results['gt_label'], results['pseudo_confidence'] = int(results.pop(TRUTH)[0]), ORACLE
            return results
        results['gt_label'], results['pseudo_confidence'] = open_score_bank(folder).read(number)
        return results
