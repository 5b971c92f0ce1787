"""What keeps a run safe: checks at its start, the lock, signals, checkpoints, the loss."""
