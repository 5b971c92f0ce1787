"""Settings that make runs of the repository's own configs on scenes of digits quick."""

# Networks of the same layers with a third of the channels or fewer.
NARROW_PEERS = {
    'unet': {'backbone.base_channels': 4, 'decode_head.in_channels': 4},
    'resnet': {'backbone.stem_channels': 6, 'backbone.base_channels': 6, 'decode_head.in_channels': 24},
}
# A sheet of pictures takes longer to draw than an iteration: one a phase.
ONE_PICTURE = 'custom_hooks.1.images=1'
NARROW = [f'model.peers.{peer}.{key}={value}' for peer, keys in NARROW_PEERS.items() for key, value in keys.items()]
NARROW.append(ONE_PICTURE)
