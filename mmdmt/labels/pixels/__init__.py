"""Segmentation: every pixel of an image has a label."""
