"""Prepare data before a run: splits, lists, conversion of masks, a check of the data."""
