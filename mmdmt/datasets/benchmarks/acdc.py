"""ACDC: streets in fog, at night, in rain and in snow."""

from pathlib import Path
from typing import Any

from mmseg.datasets import DarkZurichDataset

from mmdmt.registry import DATASETS
from mmdmt.settings import Choice, check_settings

CONDITIONS = ('fog', 'night', 'rain', 'snow')


@DATASETS.register_module()
class ACDCDataset(DarkZurichDataset):
    """One part of ACDC, all conditions together, in the folders as they are published.

    ``rgb_anon/<condition>/<part>/GOPR0475/GOPR0475_frame_000041_rgb_anon.png``, 1080x1920 pixels, and
    ``gt/.../GOPR0475_frame_000041_gt_labelTrainIds.png`` with the 19 classes of Cityscapes: 1600 images to train on
    (400 of each condition), 406 to validate on (100, of night 106), 2000 to test on, whose labels are not published.
    Images of the same places in good weather (``train_ref``, ...) are in no part.

    Sakaridis et al., "ACDC: The Adverse Conditions Dataset with Correspondences for Semantic Driving Scene
    Understanding", ICCV 2021, https://arxiv.org/abs/2104.13395.

    Args:
        part: ``'train'``, ``'val'`` or ``'test'``.
        **kwargs: Other arguments of ``BaseSegDataset``; ``data_prefix`` leads to ``rgb_anon`` and ``gt``.

    Raises:
        ValueError: If the part is unknown, or has no image.
    """

    SETTINGS = {'part': Choice('train', 'val', 'test')}

    def __init__(self, part: str, **kwargs: Any) -> None:
        check_settings(self, locals())
        self.ends = [f'{condition}/{part}' for condition in CONDITIONS]
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the images of the part, ordered by condition."""
        images = Path(self.data_prefix.get('img_path') or '')
        starts = tuple(f'{end}/' for end in self.ends)
        entries = [
            entry
            for entry in super().load_data_list()
            if Path(entry['img_path']).relative_to(images).as_posix().startswith(starts)
        ]
        if not entries:
            raise ValueError(
                f'{images} holds no image of mmdmt.ACDCDataset in {", ".join(self.ends)}: unpack '
                'rgb_anon_trainvaltest.zip of ACDC there.'
            )
        return entries
