"""Pseudo labels: making, keeping and reading them."""
