"""Pictures of what peers predict."""

from mmdmt.visualization.prediction_sheet import draw_predictions

__all__ = ['draw_predictions']
