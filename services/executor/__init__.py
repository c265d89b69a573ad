"""The executor: the only process that can open a position at the venue."""
