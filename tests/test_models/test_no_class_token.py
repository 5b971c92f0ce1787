"""The neck before DPT's head."""

import torch

from mmdmt.registry import MODELS


def test_dpt_head_takes_the_maps_of_a_vision_transformer(mmseg_scope):
    neck = MODELS.build({'type': 'mmdmt.NoClassToken'})
    head = MODELS.build(
        {
            'type': 'DPTHead',
            'in_channels': [8] * 4,
            'in_index': [0, 1, 2, 3],
            'input_transform': 'multiple_select',
            'embed_dims': 8,
            'post_process_channels': [4] * 4,
            'channels': 4,
            'num_classes': 3,
            'norm_cfg': {'type': 'BN'},
        }
    )
    maps = [torch.randn(2, 8, 6, 6) for _ in range(4)]
    assert all(pair[0] is features and pair[1] is None for pair, features in zip(neck(maps), maps, strict=True))
    logits = head(neck(maps))
    assert logits.shape == (2, 3, 48, 48)
    logits.sum().backward()
