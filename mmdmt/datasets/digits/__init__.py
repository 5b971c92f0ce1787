"""Datasets that need no download: made of the handwritten digits that scikit-learn ships."""
