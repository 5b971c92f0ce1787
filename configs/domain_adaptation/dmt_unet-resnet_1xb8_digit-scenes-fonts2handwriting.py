# Domain adaptation in miniature: learn from printed digits with labels and handwritten ones without.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/digit_peers.py',
    '../_base_/datasets/digit_scenes_fonts2handwriting.py',
    '../_base_/schedules/digit_scenes.py',
]
