"""Rules that files, lists and settings must keep, shared by a run's start and ``check_data``."""
