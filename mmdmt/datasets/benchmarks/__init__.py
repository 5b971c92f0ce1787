"""Datasets of public benchmarks that the toolboxes lack."""
