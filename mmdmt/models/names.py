"""The name of the ensemble, which no peer can have."""

ENSEMBLE = 'ensemble'
"""The mean of all peers' softmax, which stands beside them in predictions and metrics."""
