"""Dataset of scenes of handwritten digits: semi-supervised segmentation without a download."""

from dataclasses import replace
from typing import Any

from mmseg.datasets import BaseSegDataset

from mmdmt.datasets.digits.digit_rendering import DIGITS, SceneKey
from mmdmt.registry import DATASETS
from mmdmt.settings import Number, check_settings

_NUM_SCENES = {'labeled': 40, 'unlabeled': 600, 'val': 200}


@DATASETS.register_module()
class DigitScenes(BaseSegDataset):
    """Scenes of one to four digits, 0 to 4, on a clouded or striped background; six classes with the background.

    Scene ``i`` depends on ``seed``, ``domain``, ``split`` and ``i`` alone, so a larger ``num_scenes`` keeps the scenes
    of a smaller one. The splits share no handwriting and no typeface. Load them with :class:`mmdmt.LoadSceneImage` and
    :class:`mmdmt.LoadSceneAnnotations` in place of ``LoadImageFromFile`` and ``LoadAnnotations``. Scenes of the
    ``unlabeled`` split have masks, too.

    Args:
        split: ``'labeled'``, ``'unlabeled'`` or ``'val'``. Default: ``'labeled'``.
        domain: ``'handwriting'``: the 8x8 digits of scikit-learn's ``load_digits``, upsampled, light on dark;
            ``'fonts'``: digits of the fonts that matplotlib ships, dark on light or light on dark.
            Default: ``'handwriting'``.
        num_scenes: Number of scenes; None means 40, 600 or 200 for the three splits. Default: None.
        size: Height and width of a scene in pixels, at least 32. Default: 48.
        seed: Seed of the scenes, not negative. Default: 0.
        **kwargs: Other arguments of ``BaseSegDataset``. ``data_prefix=dict(seg_map_path=None)`` makes a set that has
            no masks at all.

    Raises:
        ValueError: If a value is unknown or out of its range.
    """

    SETTINGS = {'num_scenes': Number(1, whole=True, optional=True)}
    # The colors of Okabe and Ito, which color-blind readers can tell apart.
    METAINFO = dict(
        classes=('background', *DIGITS),
        palette=[[0, 0, 0], [0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [240, 228, 66]],
    )

    def __init__(
        self,
        split: str = 'labeled',
        domain: str = 'handwriting',
        num_scenes: int | None = None,
        size: int = 48,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        check_settings(self, locals())
        self._first_scene = SceneKey(seed=seed, domain=domain, split=split, index=0, size=size)
        self._num_scenes = num_scenes or _NUM_SCENES[split]
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the scenes, each with its key as ``scene``; ``img_path`` and ``seg_map_path`` are names, not files."""
        return [self._entry(replace(self._first_scene, index=index)) for index in range(self._num_scenes)]

    def _entry(self, scene: SceneKey) -> dict[str, Any]:
        entry = dict(
            img_path=scene.name,
            scene=scene,
            label_map=self.label_map,
            reduce_zero_label=self.reduce_zero_label,
            seg_fields=[],
        )
        # MMSegmentation's sign for a set without masks.
        if self.data_prefix.get('seg_map_path') is not None:
            entry['seg_map_path'] = f'{scene.name}/mask'
        return entry
