"""Make, store and measure pseudo labels."""
