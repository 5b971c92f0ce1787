"""Functions for scripts and notebooks: predict, label, rank, export, describe the environment."""

from mmdmt.apis.environment import collect_env
from mmdmt.apis.export import export_peer
from mmdmt.apis.inference import confidence_map, find_images, init_peers, predict_images
from mmdmt.apis.label_errors import find_label_errors, plan_folds
from mmdmt.apis.label_images import label_images
from mmdmt.apis.onnx_export import OnnxCheck, export_onnx
from mmdmt.apis.peer_labels import calibrate_model
from mmdmt.apis.rank import rank_run

__all__ = [
    'OnnxCheck',
    'calibrate_model',
    'collect_env',
    'confidence_map',
    'export_onnx',
    'export_peer',
    'find_images',
    'find_label_errors',
    'init_peers',
    'label_images',
    'plan_folds',
    'predict_images',
    'rank_run',
]
