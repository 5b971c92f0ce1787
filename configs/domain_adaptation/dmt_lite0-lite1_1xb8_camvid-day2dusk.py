# Street scenes by day with labels, at dusk without: the smallest real domain shift. configs/camvid/README.md says how
# to get the data.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/camvid_peers.py',
    '../_base_/datasets/camvid_day2dusk.py',
    '../_base_/schedules/camvid.py',
]
# Never more than half of a class, as in the other configs of this folder.
custom_hooks = [dict(_base_.custom_hooks[0], ratios=(0.1, 0.2, 0.3, 0.4, 0.5))]
