"""Functions for scripts and notebooks: predict, label, rank, export, describe the environment."""

from mmdmt.apis.environment import collect_env
from mmdmt.apis.export import export_peer
from mmdmt.apis.inference import confidence_map, find_images, init_peers, predict_images
from mmdmt.apis.label_images import label_images
from mmdmt.apis.onnx_export import OnnxCheck, export_onnx

__all__ = [
    'OnnxCheck',
    'collect_env',
    'confidence_map',
    'export_onnx',
    'export_peer',
    'find_images',
    'init_peers',
    'label_images',
    'predict_images',
]
