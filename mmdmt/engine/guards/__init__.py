"""Guards of a run: checks at its start, the lock of its folder, signals, checkpoints, the loss."""
