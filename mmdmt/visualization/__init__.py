"""Draw data, predictions and pseudo labels."""

from mmdmt.visualization.data_sheet import AnnotatedImage, draw_data, draw_predictions
from mmdmt.visualization.diagnosis_sheet import draw_diagnosis
from mmdmt.visualization.phase_sheet import PhaseView, draw_phase
from mmdmt.visualization.visible_image import visible

__all__ = [
    'AnnotatedImage',
    'PhaseView',
    'draw_data',
    'draw_diagnosis',
    'draw_phase',
    'draw_predictions',
    'visible',
]
