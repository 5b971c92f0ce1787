# As MMSegmentation's own, with mmdmt imported and one distributed wrapper a peer.
# custom_imports act only when the whole config is read; with this import, bases after this one may be 'mmseg::...'.
# MMEngine takes a file with an import for a config of its other kind, unless a line with _base_ stands before it.
_base_ = []
import mmdmt  # noqa: E402, F401

default_scope = 'mmseg'
custom_imports = dict(imports=['mmdmt'], allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel')
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=1)
